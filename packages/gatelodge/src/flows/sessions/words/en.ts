import type { Translation } from '../../../kernel/languages.ts'

/** The texts about sessions and signing out, in English. */
export const en = {
  pages: {
    lead: 'These devices are signed in to your account.',
    current: 'This device',
    lastSeen: 'Last seen',
    started: 'Signed in',
    address: 'IP address',
    noAddress: 'unknown',
    end: 'End this session',
    ended: 'The session has ended.',
    gone: 'This session had ended already.',
    endOthers: 'Sign out everywhere else',
    othersEnded: 'You are signed out everywhere else.',
    logout: {
      title: 'Sign out',
      lead: 'Do you want to sign out on this device?',
      submit: 'Sign out',
      back: 'Back to the account',
      done: 'You have signed out.',
    },
  },
} as const

/** The type of these texts. */
export type SessionWords = Translation<typeof en>
