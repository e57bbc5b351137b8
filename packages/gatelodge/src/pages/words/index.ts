import type { InLanguages } from '../../kernel/languages.ts'
import { ar } from './ar.ts'
import { de } from './de.ts'
import { en, type PageWords } from './en.ts'
import { es } from './es.ts'
import { fr } from './fr.ts'

/** The texts that pages and emails share, in every language. */
export const pageWords: InLanguages<PageWords> = { en, fr, de, es, ar }
