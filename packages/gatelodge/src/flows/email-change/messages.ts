/** The English words of changing an email address. */
export const emailChangeMessages = {
  confirm: {
    subject: (serviceName: string) => `Confirm your new email address for ${serviceName}`,
    preheader: 'One click and your account uses this address.',
    body: (serviceName: string) =>
      `You asked to use this address for your account at ${serviceName}. Confirm that it is yours:`,
    action: 'Confirm this address',
    notYou: 'If you did not ask for this, ignore this mail: nothing changes until the link is used.',
    footer: 'You receive this mail because someone asked to use this address for an account.',
  },
  notice: {
    subject: (serviceName: string) => `Your email address at ${serviceName} was changed`,
    preheader: 'If it was you, there is nothing to do.',
    body: (serviceName: string) => `The email address of your account at ${serviceName} was changed.`,
    newAddress: 'New address',
    wasYou:
      'If it was you, there is nothing to do. If it was not you, undo it: this address is restored, everyone is signed out, and you are mailed a link to set a new password.',
    action: 'Undo the change',
    footer: 'You receive this mail because it concerns the safety of your account.',
  },
  addressInUse: {
    subject: (serviceName: string) => `Your address is already in use at ${serviceName}`,
    preheader: 'Someone tried to use your address for another account. Nothing was changed.',
    body: (serviceName: string) =>
      `Someone, maybe you, tried to use this address for another account at ${serviceName}. It already belongs to your account, so nothing was changed.`,
    notYou: 'There is nothing to do.',
    footer: 'You receive this mail because someone entered the address of your account.',
  },
  restored: {
    subject: (serviceName: string) => `Your email address at ${serviceName} was restored`,
    preheader: 'Set a new password now.',
    body: (serviceName: string) =>
      `The change was undone: your account at ${serviceName} uses this address again, and everyone has been signed out. Whoever changed it may know your password, so choose a new one now:`,
    action: 'Choose a new password',
    footer: 'You receive this mail because it concerns the safety of your account.',
  },
} as const

/** What the API says. */
export const emailChangeAnswers = {
  requested: 'A link has been sent to the new address. Nothing changes before it is used',
  confirmed: 'Your email address is changed',
  undone: 'Your former email address is restored. A link to set a new password has been sent to it',
} as const
