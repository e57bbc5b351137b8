import type { Generated, Selectable } from 'kysely'
import type { Instant } from '../kernel/clock.ts'
import type { EventName } from '../kernel/events.ts'
import type { SessionId, UserId } from '../kernel/ids.ts'

/** A stored truth value: both engines keep it as a number. */
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
  /** PHC string, or null while the account has no password. */
  password_hash: string | null
  password_changed_at: Instant | null
  is_active: Flag
  is_staff: Flag
  /** The path below the public URL. */
  avatar_url: string | null
  /** SHA-256 of the sign-up cookie's secret of an `instant` sign-up, until the address is proved. */
  signup_browser_hash: string | null
  /** Whether the account may sign in before its address is proved. */
  may_sign_in_unverified: Generated<Flag>
  /** Whether the password is an initial one, which its user must replace at the next sign-in. */
  must_change_password: Generated<Flag>
  created_at: Instant
  last_login_at: Instant | null
  /** Since when only the link mailed to its owner opens the account: "this wasn't me" was pressed, and no password was chosen yet. */
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

/** One table of names, since a unique index cannot span accounts and pending sign-ups: a row belongs to a user, or to an address until it expires. */
export interface UsernamesTable {
  username: string
  user_id: UserId | null
  email: string | null
  expires_at: Instant | null
}

/** Addresses kept for their former owner while the undo link lives. */
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
  /** SHA-256 of the sign-up cookie's secret. */
  browser_hash: string
  /** In which the person signed up, when it was known: the account's locale. */
  language: string | null
  created_at: Instant
  expires_at: Instant
}

export type TokenPurpose =
  | 'verify_signup'
  | 'verify_email'
  | 'password_reset'
  | 'email_change'
  /** The former address of a change takes the account back. */
  | 'email_change_undo'
  /** "This wasn't me" of a security notice. */
  | 'security_undo'
  /** The one reset link that opens an account in recovery. */
  | 'recovery'

export interface OneTimeTokensTable {
  id: string
  purpose: TokenPurpose
  secret_hash: string
  user_id: UserId | null
  signup_id: string | null
  /** The address that the link was mailed for: the new one of a change, the former one of an undo. */
  email: string
  created_at: Instant
  expires_at: Instant
  spent_at: Instant | null
  /** The session that asked for a change of address: the link ends with it. */
  session_id: SessionId | null
  /** What was added to the account from this instant on is taken back by an undo. */
  since: Instant | null
}

export interface SessionsTable {
  id: SessionId
  user_id: UserId
  kind: 'cookie' | 'token'
  /** SHA-256 of the cookie's secret; null for token sessions, whose secret is their refresh token. */
  secret_hash: string | null
  created_at: Instant
  last_seen_at: Instant
  /** The absolute end; the idle end comes from last_seen_at. */
  expires_at: Instant
  /** The last proof by a factor. */
  authenticated_at: Instant
  /** JSON array of RFC 8176 method names. */
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
  /** The successor, sealed under a key that only the spent secret gives; dropped when the grace window ends. */
  successor_sealed: string | null
}

export interface KnownDevicesTable {
  user_id: UserId
  /** The id in the device cookie; null once a reset took the trust away. */
  device_id: string | null
  /** HMAC of user agent and network. */
  place: string
  last_seen_at: Instant
}

export interface LimitCountersTable {
  /** HMAC of the limit's name and its subject: no address or name stands here in clear. */
  key: string
  count: number
  /** When the window began. */
  since: Instant
  /** No try before this instant. */
  blocked_until: Instant
  expires_at: Instant
}

export interface EventsTable {
  id: string
  name: EventName
  at: Instant
  user_id: UserId | null
  /** Who did it, when it is somebody else than the user. */
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
  /** What was asked, sealed JSON; then the rendered mail with it; erased on delivery, and what was asked again when it was given up. */
  sealed: string | null
  attempts: number
  next_attempt_at: Instant
  last_error: string | null
  created_at: Instant
  finished_at: Instant | null
  /** Who works on it: the mark of a process, good until `leased_until`. Without a mark that is a pause. */
  lease: string | null
  leased_until: Instant | null
}

/** Jobs that run once wherever: one row for each, claimed by moving its due time. */
export interface JobsTable {
  name: string
  due_at: Instant
  ran_at: Instant | null
}

/** Pictures whose files nobody may need: in an upload until an account has it, and from the commit on that takes it away. */
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
  /** From when on it signs; it is published before. 0 for the key of the first schema. */
  activates_at: Instant
  /** When the last token that it signed has expired; null while it has no successor. */
  retires_at: Instant | null
}

/** Programs of the operator's that sign in as themselves. */
export interface ServiceClientsTable {
  id: string
  name: string
  secret_hash: string
  /** Separated by blanks, as RFC 6749, section 3.3, has them. */
  scopes: string
  created_at: Instant
}

/** Tokens that people make for programs of their own. */
export interface ApiTokensTable {
  id: string
  user_id: UserId
  name: string
  secret_hash: string
  /** Separated by blanks. */
  scopes: string
  created_at: Instant
  expires_at: Instant
  last_used_at: Instant | null
}

/** Access tokens of service clients that were revoked, until they would have expired. */
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
