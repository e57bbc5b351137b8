import type { Generated, Selectable } from 'kysely'
import type { Instant } from '../kernel/clock.ts'
import type { EventName } from '../kernel/events.ts'
import type { SessionId, UserId } from '../kernel/ids.ts'

/** A boolean as both engines store it. */
export type Flag = 0 | 1

export interface Schema {
  users: UsersTable
  profiles: ProfilesTable
  user_roles: UserRolesTable
  usernames: UsernamesTable
  email_reservations: EmailReservationsTable
  pending_signups: PendingSignupsTable
  one_time_tokens: OneTimeTokensTable
  sessions: SessionsTable
  refresh_tokens: RefreshTokensTable
  known_devices: KnownDevicesTable
  limit_counters: LimitCountersTable
  events: EventsTable
  mails: MailsTable
  signing_keys: SigningKeysTable
  service_clients: ServiceClientsTable
  api_tokens: ApiTokensTable
  sign_in_tickets: SignInTicketsTable
  revoked_tokens: RevokedTokensTable
  jobs: JobsTable
  avatar_removals: AvatarRemovalsTable
}

export interface UsersTable {
  id: UserId
  /** Canonical; see normaliseEmail. */
  email: string
  email_verified_at: Instant | null
  /** Case-folded. */
  username: string | null
  first_name: string
  last_name: string
  /** PHC string; null while the account has no password. */
  password_hash: string | null
  password_changed_at: Instant | null
  is_active: Flag
  is_staff: Flag
  /** Path relative to the public URL. */
  avatar_url: string | null
  /** SHA-256 of the secret in the sign-up cookie of an `instant` sign-up, until the address is verified. */
  signup_browser_hash: string | null
  /** Whether the account may sign in before its address is verified. */
  may_sign_in_unverified: Generated<Flag>
  /** Whether the password is an initial one, which its user must replace at the next sign-in. */
  must_change_password: Generated<Flag>
  created_at: Instant
  last_login_at: Instant | null
  /** Set when the user pressed "this wasn't me" and has not chosen a new password yet: only the link mailed to the owner opens the account. */
  recovery_since: Instant | null
}

export interface ProfilesTable {
  user_id: UserId
  phone_number: string | null
  website: string | null
  github_link: string | null
  /** `YYYY-MM-DD` */
  birth_date: string | null
  locale: string | null
}

export interface UserRolesTable {
  user_id: UserId
  role: Role
}

export type Role = 'administrator'

/** All names in one table, since a unique index cannot span accounts and pending sign-ups: a row belongs to a user, or to an email address until it expires. */
export interface UsernamesTable {
  username: string
  user_id: UserId | null
  email: string | null
  expires_at: Instant | null
}

/** Addresses reserved for their previous owner while the undo link is valid. */
export interface EmailReservationsTable {
  email: string
  user_id: UserId
  expires_at: Instant
}

export interface PendingSignupsTable {
  id: string
  email: string
  password_hash: string
  username: string | null
  first_name: string
  last_name: string
  /** SHA-256 of the secret in the sign-up cookie. */
  browser_hash: string
  /** The language used during sign-up, if known; becomes the locale of the account. */
  language: string | null
  created_at: Instant
  expires_at: Instant
}

export type TokenPurpose =
  | 'verify_signup'
  | 'verify_email'
  | 'password_reset'
  | 'email_change'
  /** Restores the previous email address after a change. */
  | 'email_change_undo'
  /** "This wasn't me" in a security notice. */
  | 'security_undo'
  /** The only reset link that opens an account in recovery. */
  | 'recovery'

export interface OneTimeTokensTable {
  id: string
  purpose: TokenPurpose
  secret_hash: string
  user_id: UserId | null
  signup_id: string | null
  /** The address that the link was mailed to: the new one for a change, the previous one for an undo. */
  email: string
  created_at: Instant
  expires_at: Instant
  spent_at: Instant | null
  /** The session that requested a change of address. The link becomes invalid when it ends. */
  session_id: SessionId | null
  /** An undo removes what was added to the account from this instant on. */
  since: Instant | null
}

export interface SessionsTable {
  id: SessionId
  user_id: UserId
  kind: 'cookie' | 'token'
  /** SHA-256 of the cookie's secret; null for token sessions, whose secret is the refresh token. */
  secret_hash: string | null
  created_at: Instant
  last_seen_at: Instant
  /** Absolute expiry; the idle expiry follows from last_seen_at. */
  expires_at: Instant
  /** When the user last authenticated with a factor. */
  authenticated_at: Instant
  /** JSON array of authentication method names (RFC 8176). */
  methods: string
  assurance: 'aal1' | 'aal2'
  remember: Flag
  ip: string | null
  user_agent: string | null
}

/** What a sign-in may still need after a proof, before there is a session. */
export type SignInStep = 'password_change_required'

/** Sign-ins that wait for their next step. */
export interface SignInTicketsTable {
  id: string
  user_id: UserId
  step: SignInStep
  secret_hash: string
  /** SHA-256 of what the ticket depends on: see accountState. */
  account_state: string
  /** JSON array of RFC 8176 method names: what was proved so far. */
  methods: string
  assurance: 'aal1' | 'aal2'
  /** The session that was asked for. */
  kind: 'cookie' | 'token'
  remember: Flag
  created_at: Instant
  expires_at: Instant
}

export interface RefreshTokensTable {
  id: string
  session_id: SessionId
  secret_hash: string
  created_at: Instant
  spent_at: Instant | null
  /** The successor, encrypted with a key derived from the used secret; deleted when the grace period ends. */
  successor_sealed: string | null
}

export interface KnownDevicesTable {
  user_id: UserId
  /** ID in the device cookie; null once a password reset revoked the trust. */
  device_id: string | null
  /** HMAC of the user agent and the network. */
  place: string
  last_seen_at: Instant
}

export interface LimitCountersTable {
  /** HMAC of the limit's name and its subject, so that no address or name is stored in clear. */
  key: string
  count: number
  /** Start of the window. */
  since: Instant
  /** Attempts before this instant are rejected. */
  blocked_until: Instant
  expires_at: Instant
}

export interface EventsTable {
  id: string
  name: EventName
  at: Instant
  user_id: UserId | null
  /** Who performed the action, if not the user. */
  actor_id: UserId | null
  session_id: string | null
  request_id: string
  ip: string | null
  user_agent: string | null
  /** JSON */
  data: string
}

export type MailState = 'requested' | 'sending' | 'delivered' | 'dropped' | 'failed'

export interface MailsTable {
  id: string
  kind: string
  state: MailState
  /** Encrypted JSON: first the request, then also the rendered mail. Cleared on delivery; a mail that failed keeps only its request. */
  sealed: string | null
  attempts: number
  next_attempt_at: Instant
  last_error: string | null
  created_at: Instant
  finished_at: Instant | null
  /** ID of the process that is working on the mail, valid until `leased_until`. Null with `leased_until` set means a pause. */
  lease: string | null
  leased_until: Instant | null
}

/** Jobs that run in one process at a time: one row per job, claimed by moving its due time. */
export interface JobsTable {
  name: string
  due_at: Instant
  ran_at: Instant | null
}

/** Picture files to delete when due: a file is listed from its upload until an account uses it, and again from the commit that removes it from the account. */
export interface AvatarRemovalsTable {
  name: string
  due_at: Instant
}

export type SigningAlgorithm = 'EdDSA' | 'ES256' | 'RS256'

export interface SigningKeysTable {
  kid: string
  alg: SigningAlgorithm
  public_jwk: string
  private_sealed: string
  created_at: Instant
  /** When the key starts to sign; it is published before. 0 for the key of the first schema. */
  activates_at: Instant
  /** When the last token signed with this key has expired; null while it has no successor. */
  retires_at: Instant | null
}

/** Programs of the operator that authenticate as themselves. */
export interface ServiceClientsTable {
  id: string
  name: string
  secret_hash: string
  /** Separated by spaces (RFC 6749, section 3.3). */
  scopes: string
  created_at: Instant
}

/** Tokens that users create for their own programs. */
export interface ApiTokensTable {
  id: string
  user_id: UserId
  name: string
  secret_hash: string
  /** Separated by spaces. */
  scopes: string
  created_at: Instant
  expires_at: Instant
  last_used_at: Instant | null
}

/** Revoked access tokens of service clients, kept until they would have expired. */
export interface RevokedTokensTable {
  jti: string
  expires_at: Instant
}

export type UserRow = Selectable<UsersTable>
export type EmailReservationRow = Selectable<EmailReservationsTable>
export type ProfileRow = Selectable<ProfilesTable>
export type UsernameRow = Selectable<UsernamesTable>
export type SessionRow = Selectable<SessionsTable>
export type PendingSignupRow = Selectable<PendingSignupsTable>
export type OneTimeTokenRow = Selectable<OneTimeTokensTable>
export type MailRow = Selectable<MailsTable>
export type SigningKeyRow = Selectable<SigningKeysTable>
export type ServiceClientRow = Selectable<ServiceClientsTable>
export type ApiTokenRow = Selectable<ApiTokensTable>
export type SignInTicketRow = Selectable<SignInTicketsTable>
