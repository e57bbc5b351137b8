import { setTimeout as pause } from 'node:timers/promises'
import { type RawBuilder, sql } from 'kysely'
import { removeDueAvatars } from '../domain/avatars/files.ts'
import type { Deps } from '../domain/deps.ts'
import { deviceMemory } from '../domain/devices.ts'
import { systemActor } from '../kernel/actor.ts'
import { day, hour, type Instant, minute } from '../kernel/clock.ts'
import type { Schema } from '../store/schema.ts'
import { transact, type Work } from '../store/unit-of-work.ts'

/** How long finished mails are kept, in ms. */
const keepMails = 7 * day
/** How long mails without a recipient are kept, in ms. Strangers can request any number of them. */
const keepDroppedMails = hour
/** How long events are kept that strangers caused and that concern no account, in ms. */
const keepStrangersEvents = 7 * day
const batch = 500
/** Pause between two batches, in ms, that gives way to requests and other writers. */
const breath = 20
/** Last uses are stored up to a minute late, and the clocks of several machines differ. In ms. */
const slack = 2 * minute

/**
 * Deletes everything that has expired and returns the number of deleted rows. Works in limited batches, each in its own transaction and followed by a pause,
 * so that it can be stopped at any time, continues with the next run and may run in several processes simultaneously. Every table that grows with requests is
 * listed here.
 */
export async function cleanUp(deps: Deps, stopping?: AbortSignal): Promise<number> {
  let removed = 0
  for (const removal of removalsAt(deps)) {
    let last = batch
    while (last === batch && !stopping?.aborted) {
      last = await transact(deps, systemActor('job', 'clean-up'), (work) => removeBatch(work, removal))
      removed += last
      if (last === batch) await pause(breath)
    }
  }
  // rows of avatar_removals, together with their files
  for (let last = 1; last > 0 && !stopping?.aborted; removed += last) last = await removeDueAvatars(deps)
  await deps.store.truncateLog() // if another process is reading the log, the next run truncates it
  return removed
}

interface Removal {
  readonly table: keyof Schema
  /** The primary key. */
  readonly key: readonly string[]
  /** A column with an instant and an index. */
  readonly column: string
  /** Which rows to delete: at or before `until`, or at or after `from`. */
  readonly span: { readonly until: Instant } | { readonly from: Instant }
  /** A condition that limits the rows; an index has the same condition. */
  readonly only?: RawBuilder<unknown>
}

/** Must equal the condition of the index `events_strangers` exactly. The names are those in `strangersEvents`. */
const isStrangersEvent = sql`coalesce(user_id, actor_id) is null and name in (
  'events.counted', 'limit.exceeded', 'password_reset.requested', 'service_client.refused', 'signin.failed', 'signup.requested',
  'verification.requested')`
const isDropped = sql`state = 'dropped'`

/** Deleting from these tables erases personal data of people who may have no account. */
const ofPeople: ReadonlySet<keyof Schema> = new Set(['pending_signups', 'usernames', 'email_reservations'])

function removalsAt({ clock, config }: Deps): readonly Removal[] {
  const now = clock.now()
  const expired = { column: 'expires_at', span: { until: now } } as const
  // Used refresh tokens are accepted only during the grace period. A later use is recognized by the token's mark, without its row: see
  // domain/refresh-tokens.ts.
  const grace = config.refreshGrace + slack
  const spent = { table: 'refresh_tokens', key: ['id'], column: 'spent_at' } as const

  return [
    { table: 'one_time_tokens', key: ['id'], ...expired },
    { table: 'pending_signups', key: ['id'], ...expired },
    { table: 'usernames', key: ['username'], ...expired },
    { table: 'email_reservations', key: ['email'], ...expired },
    { table: 'limit_counters', key: ['key'], ...expired },
    { table: 'api_tokens', key: ['id'], ...expired },
    { table: 'sign_in_tickets', key: ['id'], ...expired },
    { table: 'revoked_tokens', key: ['jti'], column: 'expires_at', span: { until: now - slack } },
    { table: 'signing_keys', key: ['kid'], column: 'retires_at', span: { until: now } },
    { table: 'known_devices', key: ['user_id', 'place'], column: 'last_seen_at', span: { until: now - deviceMemory } },
    { table: 'mails', key: ['id'], column: 'finished_at', span: { until: now - keepMails } },
    {
      table: 'mails',
      key: ['id'],
      column: 'next_attempt_at',
      span: { until: now - keepDroppedMails },
      only: isDropped,
    },
    { table: 'events', key: ['id'], column: 'at', span: { until: now - config.eventRetention } },
    {
      table: 'events',
      key: ['id'],
      column: 'at',
      span: { until: now - keepStrangersEvents },
      only: isStrangersEvent,
    },
    { table: 'sessions', key: ['id'], ...expired },
    { table: 'sessions', key: ['id'], column: 'last_seen_at', span: { until: now - config.sessionIdle - slack } },
    { ...spent, span: { until: now - grace } },
    { ...spent, span: { from: now + grace } }, // used before the clock was set back
  ]
}

async function removeBatch(work: Work, { table, key, column, span, only }: Removal): Promise<number> {
  work.changed([]) // every check already rejects what has expired
  const keys = sql.join(key.map((name) => sql.ref(name)))
  const at = sql.ref(column)
  const isOld = 'until' in span ? sql`${at} <= ${span.until}` : sql`${at} >= ${span.from}`
  const goes = only ? sql`${only} and ${isOld}` : isOld
  // The condition is repeated: on PostgreSQL another transaction may have extended the row since the inner select.
  const { numAffectedRows } = await sql`
    delete from ${sql.table(table)} where (${keys}) in
      (select ${keys} from ${sql.table(table)} where ${goes} order by ${at} limit ${batch}) and ${goes}
  `.execute(work.db)
  const removed = Number(numAffectedRows ?? 0)
  if (removed > 0 && ofPeople.has(table)) work.erased()
  return removed
}
