import type { EventName } from '../../../kernel/events.ts'
import type { Translation } from '../../../kernel/languages.ts'

/** Events that never concern a known user, so no user sees them in the account history. */
type AnonymousEvent =
  | 'verification.requested'
  | 'limit.exceeded'
  | 'proxy.untrusted'
  | 'mail.delivered'
  | 'mail.failed'
  | `key.${string}`
  | `service_client.${string}`
  | `service_token.${string}`

/** The texts about a user's own data, in English. */
export const en = {
  pages: {
    export: {
      title: 'A copy of your data',
      lead: 'Everything that is stored about you, in one file (JSON): profile, sessions and activity. No passwords.',
      submit: 'Download',
    },
    events: {
      title: 'Activity',
      lead: 'What happened to your account, the newest first.',
      show: 'Show the activity',
    },
    delete: {
      title: 'Delete the account',
      warning: 'Your account, profile, picture and sessions are deleted at once. Nobody can bring them back.',
      password: 'Password',
      submit: 'Delete my account for good',
      deleted: 'Your account is deleted.',
      last_administrator: 'You are the last administrator. Make somebody else administrator first.',
    },
    /** Descriptions of events, by event name. */
    happened: {
      'signup.requested': 'Account asked for',
      'email.verified': 'E-mail address confirmed',
      'user.created': 'Account created',
      'user.updated': 'Profile changed',
      'user.activated': 'Account switched on by an administrator',
      'user.deactivated': 'Account switched off by an administrator',
      'user.deleted': 'Account deleted',
      'user.exported': 'Copy of the data taken',
      'user.promoted': 'Made an administrator',
      'avatar.changed': 'Picture changed',
      'avatar.removed': 'Picture removed',
      'session.started': 'Signed in',
      'session.ended': 'Session ended',
      'session.others_ended': 'Signed out everywhere else',
      'signin.failed': 'Sign-in refused',
      'events.counted': 'Further refused sign-ins',
      'signin.step_required': 'Another step was needed to sign in',
      'signin.new_device': 'Sign-in from a new device',
      'password.disabled': 'Password stopped after too many failures',
      'reauthentication.succeeded': 'Identity confirmed by password',
      'reauthentication.failed': 'Wrong password when asked to confirm',
      'refresh.rotated': 'Session renewed by an app',
      'refresh.reused': 'Session ended: a spent token was used again',
      'password_reset.requested': 'Link to reset the password asked for',
      'password.reset': 'Password reset by a mailed link',
      'password.changed': 'Password changed',
      'password.rehashed': 'Protection of the password renewed',
      'email_change.requested': 'Another e-mail address asked for',
      'email.changed': 'E-mail address changed',
      'email_change.undone': 'Change of e-mail address undone',
      'recovery.started': 'Account locked for its owner until a new password is chosen',
      'api_token.created': 'API token made',
      'api_token.revoked': 'API token revoked',
      'api_token.all_revoked': 'API tokens revoked',
    } satisfies Readonly<Record<Exclude<EventName, AnonymousEvent>, string>>,
  },
} as const

/** The type of these texts. */
export type AccountDataWords = Translation<typeof en>
