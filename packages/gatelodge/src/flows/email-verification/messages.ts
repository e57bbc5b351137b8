/** The English words of proving an address, and of what goes out in place of a proof. */
export const emailVerificationMessages = {
  verification: {
    subject: (serviceName: string) => `Please verify your account at ${serviceName}`,
    preheader: 'One click and your account is ready.',
    body: (serviceName: string) =>
      `Thank you for signing up at ${serviceName}. Confirm that this address is yours, and your account is ready.`,
    action: 'Verify my account',
    notYou: 'If you did not sign up, ignore this mail: no account exists until the link is used.',
    footer: 'You receive this mail because someone signed up with this address.',
  },
  accountExists: {
    subject: (serviceName: string) => `You already have an account at ${serviceName}`,
    preheader: 'Someone tried to sign up with your address. Nothing was changed.',
    body: (serviceName: string) =>
      `Someone, maybe you, tried to sign up at ${serviceName} with this address. You already have an account, so nothing was changed.`,
    action: 'Sign in',
    forgotten: 'If you do not remember your password, choose a new one:',
    notYou: 'If it was not you, there is nothing to do.',
    footer: 'You receive this mail because someone signed up with the address of your account.',
  },
  welcome: {
    subject: (serviceName: string) => `Welcome to ${serviceName}`,
    preheader: 'Your account is ready.',
    body: (serviceName: string) => `Welcome to ${serviceName}. Your account is ready, and you can sign in at any time.`,
    action: 'Sign in',
    footer: 'You receive this mail because you have a new account.',
  },
} as const

/** What the API says. */
export const emailVerificationAnswers = {
  verified: 'Your email address is confirmed. You can sign in now',
  resent: 'If this address waits for confirmation, a fresh link has been sent to it. Use it before it expires',
} as const
