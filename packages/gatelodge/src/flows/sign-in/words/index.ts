import type { InLanguages } from '../../../kernel/languages.ts'
import { ar } from './ar.ts'
import { de } from './de.ts'
import { en, type SignInWords } from './en.ts'
import { es } from './es.ts'
import { fr } from './fr.ts'

/** The words of signing in. */
export const signInWords: InLanguages<SignInWords> = { en, fr, de, es, ar }
