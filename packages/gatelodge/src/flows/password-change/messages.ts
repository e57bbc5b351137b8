/** The English words of changing a password. */
export const passwordChangeMessages = {
  changed: {
    subject: (serviceName: string) => `Your password at ${serviceName} was changed`,
    preheader: 'If it was you, there is nothing to do.',
    body: (serviceName: string, moment: string) =>
      `The password of your account at ${serviceName} was changed on ${moment}. Everyone else who was signed in has been signed out.`,
    wasYou: 'If it was you, there is nothing to do. If it was not you, set a new password at once:',
    action: 'It was not me',
    footer: 'You receive this mail because it concerns the safety of your account.',
  },
} as const

/** What the API says. */
export const passwordChangeAnswers = {
  changed: 'Password changed successfully',
} as const
