import type { Translation } from '../../../kernel/languages.ts'

/** The texts about resetting a password, in English. */
export const en = {
  pages: {
    forgot: {
      title: 'Forgot your password?',
      lead: 'Enter the e-mail address of your account. We mail you a link to choose a new password.',
      email: 'E-mail address',
      submit: 'Send the link',
      back: 'Back to sign-in',
      sent: 'If an account has this address, a link is on its way. It may take a minute; look into the spam folder as well.',
    },
    reset: {
      title: 'Choose a new password',
      password: 'New password',
      confirmation: 'New password again',
      hint: (length: number) => `At least ${length} characters; a few unrelated words are easy to keep`,
      submit: 'Save the new password',
      done: 'Your new password is saved. Sign in with it.',
      expiredTitle: 'This link no longer works',
      expired: 'Links work once and for a short time. Ask for a new one.',
      again: 'Ask for a new link',
    },
  },
  mails: {
    reset: {
      subject: (serviceName: string) => `Choose a new password for ${serviceName}`,
      preheader: 'The link to set a new password.',
      body: (serviceName: string) =>
        `Someone, maybe you, asked for a new password for your account at ${serviceName}. Choose it here:`,
      action: 'Choose a new password',
      notYou: 'If it was not you, ignore this mail: your password stays as it is.',
      footer: 'You receive this mail because someone asked for a new password for your account.',
    },
    invitation: {
      subject: (serviceName: string) => `Your account at ${serviceName}`,
      preheader: 'Choose a password, and you can sign in.',
      body: (serviceName: string) =>
        `An account at ${serviceName} was made for you. Choose a password for it, and you can sign in:`,
      action: 'Choose a password',
      notYou: 'If you expected no invitation, ignore this mail: without a password nobody can use the account.',
      footer: 'You receive this mail because an account was made for this address.',
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
      subject: (serviceName: string) => `Too many wrong passwords for your account at ${serviceName}`,
      preheader: 'To protect your account, your password no longer works on every device.',
      newDevices: (serviceName: string) =>
        `Too many wrong passwords were entered for your account at ${serviceName} on devices that had never signed in to it. To protect your account, your password now works only on devices that have signed in before. To use a password on any device, request a link and choose a new one:`,
      oneDevice: (serviceName: string) =>
        `Too many wrong passwords were entered for your account at ${serviceName} on a device that had signed in to it before. To protect your account, your password no longer works on that device. To use a password there again, request a link and choose a new one:`,
      action: 'Set a new password',
      safe: 'Nothing else in your account was changed.',
      footer: 'You receive this mail because it concerns the safety of your account.',
    },
  },
} as const

/** The type of these texts. */
export type PasswordResetWords = Translation<typeof en>
