/** The English words of signing in. */
export const signInMessages = {
  newDevice: {
    subject: (serviceName: string) => `New sign-in to your account at ${serviceName}`,
    preheader: 'If it was you, there is nothing to do.',
    body: (serviceName: string) =>
      `Someone signed in to your account at ${serviceName} from a device we have not seen before.`,
    device: 'Device',
    unknownDevice: 'unknown',
    address: 'IP address',
    time: 'Time',
    wasYou: 'If it was you, there is nothing to do. If it was not you, set a new password; that signs everyone out:',
    action: 'It was not me',
    sessions: 'See where you are signed in:',
    footer: 'You receive this mail because it concerns the safety of your account.',
  },
} as const
