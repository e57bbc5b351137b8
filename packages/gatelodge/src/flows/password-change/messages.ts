import type { InLanguages, Translation } from '../../kernel/languages.ts'
import { ar } from './messages.ar.ts'
import { de } from './messages.de.ts'
import { es } from './messages.es.ts'
import { fr } from './messages.fr.ts'

const en = {
  pages: {
    title: 'Password',
    old: 'Current password',
    new: 'New password',
    confirmation: 'New password again',
    hint: (length: number) => `At least ${length} characters; a few unrelated words are easy to keep`,
    submit: 'Change the password',
    changed: 'Your password is changed. You are signed out everywhere else.',
  },
  mails: {
    changed: {
      subject: (serviceName: string) => `Your password at ${serviceName} was changed`,
      preheader: 'If it was you, there is nothing to do.',
      body: (serviceName: string, moment: string) =>
        `The password of your account at ${serviceName} was changed on ${moment}. Everyone else who was signed in has been signed out.`,
      footer: 'You receive this mail because it concerns the safety of your account.',
    },
  },
} as const

export type PasswordChangeMessages = Translation<typeof en>

/** The texts about changing a password. */
export const passwordChangeMessages: InLanguages<typeof en> = { en, fr, de, es, ar }

/** The texts of API responses. */
export const passwordChangeAnswers = {
  changed: 'Password changed successfully',
} as const
