import type { InLanguages } from '../../../kernel/languages.ts'
import { ar } from './ar.ts'
import { de } from './de.ts'
import { type EmailChangeWords, en } from './en.ts'
import { es } from './es.ts'
import { fr } from './fr.ts'

/** The texts about changing an email address. */
export const emailChangeWords: InLanguages<EmailChangeWords> = { en, fr, de, es, ar }

/** The texts of API responses. */
export const emailChangeAnswers = {
  requested: 'A link has been sent to the new address. Nothing changes before it is used',
  confirmed: 'Your email address is changed',
  undone: 'Your former email address is restored. A link to set a new password has been sent to it',
} as const
