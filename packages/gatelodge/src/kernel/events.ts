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
  'signup.requested': 'A visitor requested an account.',
  'email.verified': 'An email address was verified with its mailed link.',
  'verification.requested': 'A new verification link was requested.',
  'user.created': 'An account was created.',
  'user.updated': 'Fields of an account or its profile changed.',
  'user.activated': 'An administrator activated the account again.',
  'user.deactivated': 'An administrator deactivated the account; its sessions ended.',
  'user.deleted': 'The account and everything that belongs to it were deleted.',
  'user.exported': 'The user exported their data.',
  'user.promoted': 'The account became an administrator.',
  'avatar.changed': 'The picture of an account was added or replaced.',
  'avatar.removed': 'The picture of an account was removed.',
  'session.started': 'A sign-in succeeded.',
  'session.ended': 'One session ended.',
  'session.others_ended': 'The user ended all their other sessions.',
  'signin.failed': 'A sign-in was refused.',
  'signin.step_required': 'A sign-in requires another step before there is a session.',
  'signin.new_device': 'A sign-in came from a device not seen before; the user was notified.',
  'password.disabled':
    'After too many failures, the password is disabled for devices that the account does not know, for one that it knows, or for one session, until it is reset by mail.',
  'reauthentication.succeeded': 'The user re-authenticated.',
  'reauthentication.failed': 'A re-authentication failed.',
  'refresh.rotated': 'A refresh token was exchanged for its successor.',
  'refresh.reused': 'A spent refresh token was reused after the grace period; the session ended.',
  'password_reset.requested': 'A reset link was requested.',
  'password.reset': 'A password was set with a mailed link; every session ended.',
  'password.changed': 'A password was changed by its owner; the other sessions ended.',
  'password.rehashed': 'A password hash was upgraded to the current parameters.',
  'email_change.requested': 'A new email address was requested, and must be confirmed.',
  'email.changed': 'The email address was changed after confirmation.',
  'email_change.undone': 'The change was undone from the previous email address.',
  'recovery.started':
    'The owner said "this wasn’t me": every session ended, the password is disabled, and only the mailed link opens the account.',
  'limit.exceeded': 'A rate limit refused a request.',
  'events.counted':
    'The number of further events of one kind since a point in time, for one account or from one network: strangers caused more than are stored one by one.',
  'proxy.untrusted':
    'A peer that is not a trusted proxy sent a forwarding header; recorded at most once per day and process.',
  'mail.delivered': 'The mail server accepted a mail.',
  'mail.failed': 'A mail could not be delivered, and is not retried.',
  'key.created': 'A signing key was created; it signs from the given time on.',
  'key.withdrawn': 'A signing key was withdrawn immediately; tokens that it signed are rejected.',
  'service_client.created': 'An operator created a client for a service.',
  'service_client.revoked': 'A service client was deleted; its tokens are rejected.',
  'service_client.refused': 'An attempt to authenticate as a service client failed.',
  'service_token.issued': 'An access token was issued to a service client.',
  'service_token.revoked': 'A service client revoked one of its access tokens.',
  'api_token.created': 'A user created an API token.',
  'api_token.revoked': 'An API token was revoked.',
  'api_token.all_revoked':
    'API tokens of an account, either all or those added since the notice, were revoked by a recovery, a reset or a deactivation.',
} as const satisfies Record<EventName, string>
