import type { InLanguages } from '../../../kernel/languages.ts'
import { ar } from './ar.ts'
import { de } from './de.ts'
import { en, type PasswordChangeWords } from './en.ts'
import { es } from './es.ts'
import { fr } from './fr.ts'

/** The texts about changing a password. */
export const passwordChangeWords: InLanguages<PasswordChangeWords> = { en, fr, de, es, ar }

/** The texts of API responses. */
export const passwordChangeAnswers = {
  changed: 'Password changed successfully',
} as const
