import type { InLanguages } from '../../../kernel/languages.ts'
import { ar } from './ar.ts'
import { de } from './de.ts'
import { type AccountDataWords, en } from './en.ts'
import { es } from './es.ts'
import { fr } from './fr.ts'

/** The texts about a user's own data. */
export const accountDataWords: InLanguages<AccountDataWords> = { en, fr, de, es, ar }
