import type { Config } from '../../../config.ts'
import type { InLanguages } from '../../../kernel/languages.ts'
import { ar } from './ar.ts'
import { de } from './de.ts'
import { en, type SignUpWords } from './en.ts'
import { es } from './es.ts'
import { fr } from './fr.ts'

/** The texts about signing up. */
export const signUpWords: InLanguages<SignUpWords> = { en, fr, de, es, ar }

/** The texts of API responses, by the value of `GATELODGE_ENUMERATION`. With `explicit`, the text is the one that clients of earlier systems expect. */
export const verificationRequired: Readonly<Record<Config['enumeration'], string>> = {
  blind: 'Check your email and follow the link to finish creating your account.',
  explicit:
    'Your account was created successfully. Check your email address to activate your account as we just sent you an activation link. Ensure you activate your account before the link expires',
}
