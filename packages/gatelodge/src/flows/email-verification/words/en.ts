import type { Translation } from '../../../kernel/languages.ts'

/** The texts about proving an address, and of the emails sent instead of a proof, in English. */
export const en = {
  pages: {
    sent: {
      title: 'Check your inbox',
      text: 'Open the link in our mail to go on. It may take a minute; look into the spam folder as well.',
      again: 'Nothing arrived? Send the link again',
      signIn: 'To sign-in',
    },
    confirm: {
      title: 'Confirm your address',
      lead: 'One click, and your address is confirmed.',
      protect: 'To protect your account, enter the password that you chose at sign-up.',
      password: 'Password',
      submit: 'Confirm my address',
      done: 'Your e-mail address is confirmed. You can sign in now.',
      doneSignedIn: 'Your e-mail address is confirmed.',
      expiredTitle: 'This link no longer works',
      expired:
        'Links work once and for a short time. If your address is confirmed already, sign in; else ask for a new link.',
      again: 'Ask for a new link',
      signIn: 'To sign-in',
    },
    resend: {
      title: 'Send the link again',
      lead: 'Enter the e-mail address that you signed up with. We mail you a fresh link.',
      email: 'E-mail address',
      submit: 'Send the link',
      back: 'Back to sign-in',
      sent: 'If this address waits for confirmation, a fresh link is on its way.',
      nothingWaits: 'Nothing waits for confirmation at this address',
    },
  },
  mails: {
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
      body: (serviceName: string) =>
        `Welcome to ${serviceName}. Your account is ready, and you can sign in at any time.`,
      action: 'Sign in',
      footer: 'You receive this mail because you have a new account.',
    },
  },
} as const

/** The type of these texts. */
export type EmailVerificationWords = Translation<typeof en>
