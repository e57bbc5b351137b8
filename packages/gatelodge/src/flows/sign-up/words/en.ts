import type { Translation } from '../../../kernel/languages.ts'

/** The texts about signing up, in English. */
export const en = {
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

/** The type of these texts. */
export type SignUpWords = Translation<typeof en>
