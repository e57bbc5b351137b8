import type { InLanguages } from '../../../kernel/languages.ts'
import { ar } from './ar.ts'
import { de } from './de.ts'
import { type EmailVerificationWords, en } from './en.ts'
import { es } from './es.ts'
import { fr } from './fr.ts'

/** The texts about proving an address, and of the emails sent instead of a proof. */
export const emailVerificationWords: InLanguages<EmailVerificationWords> = { en, fr, de, es, ar }

/** The texts of API responses. */
export const emailVerificationAnswers = {
  verified: 'Your email address is confirmed. You can sign in now',
  resent: 'If this address waits for confirmation, a fresh link has been sent to it. Use it before it expires',
} as const
