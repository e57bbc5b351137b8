import type { InLanguages } from '../../../kernel/languages.ts'
import { ar } from './ar.ts'
import { de } from './de.ts'
import { en, type RecoveryWords } from './en.ts'
import { es } from './es.ts'
import { fr } from './fr.ts'

/** The texts about recovering an account. */
export const recoveryWords: InLanguages<RecoveryWords> = { en, fr, de, es, ar }

/** The texts of API responses. */
export const recoveryAnswers = {
  started: 'Everyone is signed out and the password is off. A link to choose a new password has been sent to the owner',
} as const
