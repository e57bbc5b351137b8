import type { InLanguages } from '../../../kernel/languages.ts'
import { ar } from './ar.ts'
import { de } from './de.ts'
import { en, type SessionWords } from './en.ts'
import { es } from './es.ts'
import { fr } from './fr.ts'

/** The texts about sessions and signing out. */
export const sessionWords: InLanguages<SessionWords> = { en, fr, de, es, ar }

/** The texts of API responses. */
export const sessionAnswers = {
  signedOut: 'You have signed out',
} as const
