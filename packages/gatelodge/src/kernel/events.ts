/** Every recorded event, with the type of its data. The audit log, the metrics and the tests use this table. */
export interface Events {
  'signup.requested': { mode: 'verify' | 'instant' }
  'email.verified': Record<string, never>
  'verification.requested': Record<string, never>
  'user.created': { by: 'signup' | 'administrator' | 'library' }
  'user.updated': { fields: readonly string[] }
  'user.activated': Record<string, never>
  'user.deactivated': { sessions_ended: number }
  'user.deleted': { by: 'self' | 'administrator' }
  'user.exported': Record<string, never>
  'user.promoted': Record<string, never>
  'avatar.changed': Record<string, never>
  'avatar.removed': Record<string, never>
  'session.started': { session_id: string; methods: readonly string[]; kind: 'cookie' | 'token' }
  'session.ended': { session_id: string; reason: 'signout' | 'revoked' | 'replaced' | 'token_revoked' }
  'session.others_ended': { count: number }
  'signin.failed': { reason: 'unknown_user' | 'wrong_password' | 'inactive' | 'unverified' | 'password_disabled' }
  'signin.step_required': { step: 'password_change_required' }
  'signin.new_device': { device: string }
  'password.disabled': { failures: number; for: 'stranger' | 'device' | 'session' }
  'reauthentication.succeeded': { method: string }
  'reauthentication.failed': Record<string, never>
  'refresh.rotated': { session_id: string }
  'refresh.reused': { session_id: string }
  'password_reset.requested': Record<string, never>
  'password.reset': { sessions_ended: number }
  'password.changed': { sessions_ended: number }
  'password.rehashed': Record<string, never>
  'email_change.requested': Record<string, never>
  'email.changed': { sessions_ended: number }
  'email_change.undone': Record<string, never>
  'recovery.started': { reason: 'security_notice' | 'email_change'; sessions_ended: number }
  'limit.exceeded': { limit: string }
  'events.counted': { event: string; count: number; from: string }
  'proxy.untrusted': { peer: string }
  'mail.delivered': { kind: string }
  'mail.failed': { kind: string }
  'key.created': { kid: string; alg: string; activates_at: string }
  'key.withdrawn': { kid: string }
  'service_client.created': { client_id: string; name: string; scopes: readonly string[] }
  'service_client.revoked': { client_id: string; name: string }
  'service_client.refused': { reason: 'unknown_client' | 'wrong_secret' }
  'service_token.issued': { client_id: string; jti: string; scope: string }
  'service_token.revoked': { client_id: string; jti: string }
  'api_token.created': { token_id: string; scopes: readonly string[]; expires_at: string }
  'api_token.revoked': { token_id: string; by: 'owner' | 'holder' }
  'api_token.all_revoked': { count: number }
}

export type EventName = keyof Events

/** A recorded event. */
export interface RecordedEvent<Name extends EventName = EventName> {
  readonly name: Name
  readonly data: Events[Name]
}

/** The meaning of each event, as printed in the generated documentation. */
export const eventDocs = {
  'signup.requested': 'Somebody asked for an account.',
  'email.verified': 'An address was proved by its mailed link.',
  'verification.requested': 'A fresh verification link was asked for.',
  'user.created': 'An account came into being.',
  'user.updated': 'Fields of an account or its profile changed.',
  'user.activated': 'An administrator let the account sign in again.',
  'user.deactivated': 'An administrator stopped the account; its sessions ended.',
  'user.deleted': 'The account and what belongs to it was removed.',
  'user.exported': 'The user took a copy of their data.',
  'user.promoted': 'The account became an administrator.',
  'avatar.changed': 'An account got a picture, or another one.',
  'avatar.removed': 'The picture of an account was removed.',
  'session.started': 'A sign-in succeeded.',
  'session.ended': 'One session ended.',
  'session.others_ended': 'The user ended all their other sessions.',
  'signin.failed': 'A sign-in was refused.',
  'signin.step_required': 'A sign-in needs another step before there is a session.',
  'signin.new_device': 'A sign-in came from a device not seen before; the user was told.',
  'password.disabled':
    'Too many failures: the password is off for devices that the account does not know, for one that it knows, or for one session, until it is reset by mail.',
  'reauthentication.succeeded': 'The user proved again that it is them.',
  'reauthentication.failed': 'A re-authentication was refused.',
  'refresh.rotated': 'A refresh token was spent for its successor.',
  'refresh.reused': 'A spent refresh token came back after its grace; the session ended.',
  'password_reset.requested': 'A reset link was asked for.',
  'password.reset': 'A password was set by a mailed link; every session ended.',
  'password.changed': 'A password was changed by its owner; the other sessions ended.',
  'password.rehashed': 'A hash was renewed with today’s parameters.',
  'email_change.requested': 'A new address was asked for and must be confirmed.',
  'email.changed': 'The address changed after confirmation.',
  'email_change.undone': 'The former address took the account back.',
  'recovery.started':
    'The owner said "this wasn’t me": every session ended, the password is off, and only the mailed link opens the account.',
  'limit.exceeded': 'A limit refused a request.',
  'events.counted':
    'So many further events of one kind since an instant, for one account or from one network: strangers caused more than are stored one by one.',
  'proxy.untrusted': 'A peer that is no trusted proxy sent a forwarding header; at most once a day and process.',
  'mail.delivered': 'A mail was handed to the mail server.',
  'mail.failed': 'A mail was given up.',
  'key.created': 'A signing key was made; it signs from the given instant on.',
  'key.withdrawn': 'A signing key was taken out at once: what it signed is refused.',
  'service_client.created': 'An operator made a client for a service.',
  'service_client.revoked': 'A service client was removed; its tokens are refused.',
  'service_client.refused': 'Somebody failed to sign in as a service client.',
  'service_token.issued': 'A service client got an access token.',
  'service_token.revoked': 'A service client revoked an access token of its own.',
  'api_token.created': 'A user made an API token.',
  'api_token.revoked': 'An API token was revoked.',
  'api_token.all_revoked':
    'API tokens of an account were revoked, those added since the notice or all: a recovery, a reset, or the account was stopped.',
} as const satisfies Record<EventName, string>
