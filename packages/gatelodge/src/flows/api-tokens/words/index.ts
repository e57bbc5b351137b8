import type { InLanguages } from '../../../kernel/languages.ts'
import { ar } from './ar.ts'
import { de } from './de.ts'
import { type ApiTokenWords, en } from './en.ts'
import { es } from './es.ts'
import { fr } from './fr.ts'

/** The texts about API tokens. */
export const apiTokenWords: InLanguages<ApiTokenWords> = { en, fr, de, es, ar }
