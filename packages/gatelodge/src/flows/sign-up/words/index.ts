import type { InLanguages } from '../../../kernel/languages.ts'
import { ar } from './ar.ts'
import { de } from './de.ts'
import { en, type SignUpWords } from './en.ts'
import { es } from './es.ts'
import { fr } from './fr.ts'

/** The texts about signing up. */
export const signUpWords: InLanguages<SignUpWords> = { en, fr, de, es, ar }

/** The texts of API responses. */
export const signUpAnswers = {
  verificationRequired:
    'Your account was created successfully. Check your email address to activate your account as we just sent you an activation link. Ensure you activate your account before the link expires',
} as const
