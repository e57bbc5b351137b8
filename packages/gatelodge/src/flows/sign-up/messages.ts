import type { InLanguages, Translation } from '../../kernel/languages.ts'
import { ar } from './messages.ar.ts'
import { de } from './messages.de.ts'
import { es } from './messages.es.ts'
import { fr } from './messages.fr.ts'

const en = {
  pages: {
    title: 'Create an account',
    email: 'E-mail address',
    username: 'Username',
    usernameHint: 'At least 3 letters or digits; also . _ - between them',
    firstName: 'First name',
    lastName: 'Last name',
    password: 'Password',
    hint: (length: number) => `At least ${length} characters; a few unrelated words are easy to keep`,
    confirmation: 'Password again',
    submit: 'Create account',
    signIn: 'Already have an account? Sign in',
    emailTaken: 'An account has this address already',
    welcome: 'Your account is ready. Please confirm your e-mail address by the link that we mailed to you.',
    closedTitle: 'Sign-up is closed',
    closed: 'Nobody can sign up here on their own. Ask the people who run this service for an account.',
    closedWay: 'To sign-in',
  },
} as const

export type SignUpMessages = Translation<typeof en>

/** The texts about signing up. */
export const signUpMessages: InLanguages<typeof en> = { en, fr, de, es, ar }

/** The texts of API responses. */
export const signUpAnswers = {
  verificationRequired:
    'Your account was created successfully. Check your email address to activate your account as we just sent you an activation link. Ensure you activate your account before the link expires',
} as const
