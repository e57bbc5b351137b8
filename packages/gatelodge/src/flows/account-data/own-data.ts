import { type ApiToken, findApiTokensOf } from '../../domain/api-tokens.ts'
import { type AuditEvent, findEventsOf, record } from '../../domain/audit.ts'
import type { Deps } from '../../domain/deps.ts'
import type { LiveSession } from '../../domain/session-cache.ts'
import { findSessionsOf, type Session } from '../../domain/sessions.ts'
import { getUser, loadUser, type User } from '../../domain/users.ts'
import type { Actor } from '../../kernel/actor.ts'
import type { Instant } from '../../kernel/clock.ts'
import type { UserId } from '../../kernel/ids.ts'
import type { UserRow } from '../../store/schema.ts'
import type { ReadDb } from '../../store/store.ts'
import { transact } from '../../store/unit-of-work.ts'

/** Everything that is stored about a user, except secrets and their hashes. */
export interface OwnData {
  readonly user: User
  readonly account: AccountTimes
  readonly addresses: readonly OtherAddress[]
  readonly devices: readonly KnownDevice[]
  readonly sessions: readonly Session[]
  readonly apiTokens: readonly ApiToken[]
  readonly events: readonly AuditEvent[]
}

/** Instants in the history of the account that appear nowhere else in the export. */
export interface AccountTimes {
  readonly emailVerifiedAt: Instant | null
  readonly passwordChangedAt: Instant | null
  readonly recoverySince: Instant | null
}

/** An address other than the account's own: one that awaits confirmation, or a former one that can still recover the account. */
export interface OtherAddress {
  readonly email: string
  readonly kind: 'pending' | 'former'
  readonly until: Instant
}

/** A device that has signed in. The stored data reveals neither its kind nor its place. */
export interface KnownDevice {
  readonly lastSeenAt: Instant
}

const eventsListed = 100
const eventsExported = 10_000

/** Returns the newest events about the caller. */
export async function listOwnEvents(deps: Deps, _actor: Actor, me: LiveSession): Promise<AuditEvent[]> {
  return findEventsOf(deps.store.db, me.user.id, eventsListed)
}

/** Returns a copy of everything stored about the caller, whose proof must be fresh: see `Access`. */
export async function exportOwnData(deps: Deps, actor: Actor, me: LiveSession): Promise<OwnData> {
  return exportDataOf(deps, actor, await getUser(deps.store.db, me.user.id))
}

/** Returns a copy of everything stored about a user. The caller must have checked that it may be released. */
export async function exportDataOf(deps: Deps, actor: Actor, row: UserRow): Promise<OwnData> {
  const { db } = deps.store
  const now = deps.clock.now()
  const data = {
    user: await loadUser(db, row),
    account: {
      emailVerifiedAt: row.email_verified_at,
      passwordChangedAt: row.password_changed_at,
      recoverySince: row.recovery_since,
    },
    addresses: await findOtherAddresses(db, row.id, now),
    devices: await findDevices(db, row.id),
    sessions: await findSessionsOf(db, deps.config, row.id, now),
    apiTokens: await findApiTokensOf(db, row.id, now),
    events: await findEventsOf(db, row.id, eventsExported),
  }
  await transact(deps, actor, (work) => record(work, 'user.exported', row.id, {}))
  return data
}

async function findOtherAddresses(db: ReadDb, id: UserId, now: Instant): Promise<OtherAddress[]> {
  const pending = await db
    .selectFrom('one_time_tokens')
    .select(['email', 'expires_at'])
    .where('user_id', '=', id)
    .where('purpose', '=', 'email_change')
    .where('spent_at', 'is', null)
    .where('expires_at', '>', now)
    .orderBy('created_at')
    .execute()
  const former = await db
    .selectFrom('email_reservations')
    .select(['email', 'expires_at'])
    .where('user_id', '=', id)
    .where('expires_at', '>', now)
    .orderBy('expires_at')
    .execute()
  return [
    ...pending.map((row) => ({ email: row.email, kind: 'pending' as const, until: row.expires_at })),
    ...former.map((row) => ({ email: row.email, kind: 'former' as const, until: row.expires_at })),
  ]
}

async function findDevices(db: ReadDb, id: UserId): Promise<KnownDevice[]> {
  const rows = await db
    .selectFrom('known_devices')
    .select('last_seen_at')
    .where('user_id', '=', id)
    .orderBy('last_seen_at', 'desc')
    .execute()
  return rows.map((row) => ({ lastSeenAt: row.last_seen_at }))
}
