import type { Translation } from '../../../kernel/languages.ts'

/** The texts about recovering an account, in English. */
export const en = {
  pages: {
    undo: {
      title: 'Secure your account',
      lead: 'If this wasn’t you, press the button. Everyone is signed out, your password stops working, what was added since is removed, and we email you a link to choose a new password.',
      submit: 'This wasn’t me',
      done: 'Everyone is signed out. Check your email for the link to choose a new password: only this link opens your account.',
      expiredTitle: 'This link no longer works',
      expired: 'The link works once, for 72 hours. If someone else is using your account, choose a new password now.',
      way: 'Choose a new password',
    },
  },
  mails: {
    started: {
      subject: (serviceName: string) => `Unlock your account at ${serviceName}`,
      preheader: 'Everyone has been signed out.',
      body: (serviceName: string) =>
        `You told us that a change to your account at ${serviceName} wasn’t yours. Everyone has been signed out, your password no longer works, and what was added since has been removed. Choose a new password to open your account again:`,
      action: 'Choose a new password',
      footer: 'You receive this mail because it concerns the safety of your account.',
    },
  },
} as const

/** The type of these texts. */
export type RecoveryWords = Translation<typeof en>
