import type { InLanguages } from '../../../kernel/languages.ts'
import { ar } from './ar.ts'
import { de } from './de.ts'
import { en, type PasswordResetWords } from './en.ts'
import { es } from './es.ts'
import { fr } from './fr.ts'

/** The texts about resetting a password. */
export const passwordResetWords: InLanguages<PasswordResetWords> = { en, fr, de, es, ar }

/** The texts of API responses. */
export const passwordResetAnswers = {
  requested: 'If an account has this address, a link to set a new password has been sent to it',
  done: 'Password reset successfully',
} as const
