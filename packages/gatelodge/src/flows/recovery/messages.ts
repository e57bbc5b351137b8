import type { InLanguages, Translation } from '../../kernel/languages.ts'
import { ar } from './messages.ar.ts'
import { de } from './messages.de.ts'
import { es } from './messages.es.ts'
import { fr } from './messages.fr.ts'

const en = {
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

export type RecoveryMessages = Translation<typeof en>

/** The texts about recovering an account. */
export const recoveryMessages: InLanguages<typeof en> = { en, fr, de, es, ar }

/** The texts of API responses. */
export const recoveryAnswers = {
  started: 'Everyone is signed out and the password is off. A link to choose a new password has been sent to the owner',
} as const
