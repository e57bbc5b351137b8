import type { InLanguages } from '../../../kernel/languages.ts'
import { ar } from './ar.ts'
import { de } from './de.ts'
import { en, type ProfileWords } from './en.ts'
import { es } from './es.ts'
import { fr } from './fr.ts'

/** The texts about the profile and its picture. */
export const profileWords: InLanguages<ProfileWords> = { en, fr, de, es, ar }
