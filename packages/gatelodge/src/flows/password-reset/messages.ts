/** The English words of resetting a password. */
export const passwordResetMessages = {
  reset: {
    subject: (serviceName: string) => `Choose a new password for ${serviceName}`,
    preheader: 'The link to set a new password.',
    body: (serviceName: string) =>
      `Someone, maybe you, asked for a new password for your account at ${serviceName}. Choose it here:`,
    action: 'Choose a new password',
    notYou: 'If it was not you, ignore this mail: your password stays as it is.',
    footer: 'You receive this mail because someone asked for a new password for your account.',
  },
  registerFirst: {
    subject: (serviceName: string) => `Finish signing up at ${serviceName}`,
    preheader: 'There is no confirmed account with this address yet.',
    body: (serviceName: string) =>
      `Someone, maybe you, asked for a new password at ${serviceName}. The sign-up with this address was never confirmed, so there is no account yet. To make one, sign up again:`,
    action: 'Sign up',
    notYou: 'If it was not you, there is nothing to do.',
    footer: 'You receive this mail because someone asked for a new password for this address.',
  },
  passwordDisabled: {
    subject: (serviceName: string) => `Your password at ${serviceName} no longer works`,
    preheader: 'Too many wrong passwords in a row were entered.',
    body: (serviceName: string) =>
      `Too many wrong passwords in a row were entered for your account at ${serviceName}, so your password was switched off to protect it. To sign in with a password again, ask for a link and choose a new one:`,
    action: 'Set a new password',
    safe: 'Nothing else in your account was changed.',
    footer: 'You receive this mail because it concerns the safety of your account.',
  },
} as const

/** What the API says. */
export const passwordResetAnswers = {
  requested: 'If an account has this address, a link to set a new password has been sent to it',
  done: 'Password reset successfully',
} as const
