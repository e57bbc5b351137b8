import type { Translation } from '../../../kernel/languages.ts'

/** The words of signing in, in English. */
export const en = {
  pages: {
    newPassword: {
      title: 'Choose your own password',
      lead: 'You signed in with a password that was set for you. Replace it to continue.',
      password: 'New password',
      hint: (length: number) => `At least ${length} characters; a few unrelated words are easy to keep`,
      confirmation: 'Repeat the new password',
      submit: 'Save password and sign in',
      done: 'Your password is saved. You are signed in.',
      expired: 'Too much time has passed. Sign in again.',
    },
    reauthenticate: {
      title: 'Confirm that it is you',
      lead: 'What you asked for needs your password once more.',
      submit: 'Confirm',
      done: 'Thank you. You can go on now.',
    },
    title: 'Sign in',
    identifier: 'E-mail address or username',
    password: 'Password',
    remember: 'Stay signed in on this device',
    submit: 'Sign in',
    resend: 'Mail me a new link',
    forgot: 'Forgot your password?',
    register: 'No account yet? Sign up',
    invalid_credentials: 'The address, username or password is wrong',
    account_inactive: 'This account is switched off. Ask the people who run this service.',
    email_unverified: 'Your e-mail address is not confirmed yet. Open the link that was mailed to you.',
  },
  mails: {
    newDevice: {
      subject: (serviceName: string) => `New sign-in to your account at ${serviceName}`,
      preheader: 'If it was you, there is nothing to do.',
      body: (serviceName: string) =>
        `Someone signed in to your account at ${serviceName} from a device we have not seen before.`,
      device: 'Device',
      unknownDevice: 'unknown',
      address: 'IP address',
      time: 'Time',
      sessions: 'See where you are signed in:',
      footer: 'You receive this mail because it concerns the safety of your account.',
    },
  },
} as const

/** The type of these texts. */
export type SignInWords = Translation<typeof en>
