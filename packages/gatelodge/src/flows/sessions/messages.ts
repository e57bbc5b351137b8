import type { InLanguages, Translation } from '../../kernel/languages.ts'
import { ar } from './messages.ar.ts'
import { de } from './messages.de.ts'
import { es } from './messages.es.ts'
import { fr } from './messages.fr.ts'

const en = {
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

export type SessionMessages = Translation<typeof en>

/** The texts about sessions and signing out. */
export const sessionMessages: InLanguages<typeof en> = { en, fr, de, es, ar }

/** The texts of API responses. */
export const sessionAnswers = {
  signedOut: 'You have signed out',
} as const
