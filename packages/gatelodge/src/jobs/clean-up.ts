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
/** How long mails are kept that reached nobody, in ms: as many as strangers ask for. */
const keepDroppedMails = hour
/** How long events of strangers are kept that are about no account, in ms. */
const keepStrangersEvents = 7 * day
const batch = 500
/** Between two batches, ms: requests and other writers come first. */
const breath = 20
/** Last uses are stored up to a minute late, and clocks of several machines differ. */
const slack = 2 * minute

/**
 * Removes what has expired and answers how many rows went. Bounded batches, each a transaction of its own with a pause behind it, so that it
 * may be stopped at any time, goes on at the next run and may run in several processes at once. Every table that grows by requests is named here.
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
  // rows of avatar_removals, with their files
  for (let last = 1; last > 0 && !stopping?.aborted; removed += last) last = await removeDueAvatars(deps)
  await deps.store.truncateLog() // when another process reads the log now, the next run does it
  return removed
}

interface Removal {
  readonly table: keyof Schema
  /** Its primary key. */
  readonly key: readonly string[]
  /** An instant with an index. */
  readonly column: string
  /** What goes: at or before `until`, or from `from` on. */
  readonly span: { readonly until: Instant } | { readonly from: Instant }
  /** Of which rows, if not of all; an index has the same condition. */
  readonly only?: RawBuilder<unknown>
}

/** The condition of the index `events_strangers`, word for word; the names are those of `strangersEvents`. */
const isStrangersEvent = sql`coalesce(user_id, actor_id) is null and name in (
  'events.counted', 'limit.exceeded', 'password_reset.requested', 'service_client.refused', 'signin.failed', 'signup.requested',
  'verification.requested')`
const isDropped = sql`state = 'dropped'`

/** What goes from these is of people who may have no account. */
const ofPeople: ReadonlySet<keyof Schema> = new Set(['pending_signups', 'usernames', 'email_reservations'])

function removalsAt({ clock, config }: Deps): readonly Removal[] {
  const now = clock.now()
  const expired = { column: 'expires_at', span: { until: now } } as const
  // Spent refresh tokens answer in their grace only. A later use is known by the token's mark, without its row: see domain/refresh-tokens.ts.
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
    { ...spent, span: { from: now + grace } }, // spent before the clock was set back
  ]
}

async function removeBatch(work: Work, { table, key, column, span, only }: Removal): Promise<number> {
  work.changed([]) // what has expired is refused by every check already
  const keys = sql.join(key.map((name) => sql.ref(name)))
  const at = sql.ref(column)
  const isOld = 'until' in span ? sql`${at} <= ${span.until}` : sql`${at} >= ${span.from}`
  const goes = only ? sql`${only} and ${isOld}` : isOld
  // Said twice: on PostgreSQL somebody may have given the row more time since the inner look.
  const { numAffectedRows } = await sql`
    delete from ${sql.table(table)} where (${keys}) in
      (select ${keys} from ${sql.table(table)} where ${goes} order by ${at} limit ${batch}) and ${goes}
  `.execute(work.db)
  const removed = Number(numAffectedRows ?? 0)
  if (removed > 0 && ofPeople.has(table)) work.erased()
  return removed
}
