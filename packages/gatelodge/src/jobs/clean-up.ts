import { sql } from 'kysely'
import type { Deps } from '../domain/deps.ts'
import { deviceMemory } from '../domain/devices.ts'
import { innerActor } from '../kernel/actor.ts'
import { day } from '../kernel/clock.ts'
import { transact, type Work } from '../store/unit-of-work.ts'

/** How long finished mails and audit events are kept, in ms. */
const keepMails = 7 * day
const keepEvents = 365 * day
const batch = 500

/** Removes what has expired, in bounded batches, and answers how many rows went. Every table that grows by requests is named here. */
export async function cleanUp(deps: Deps): Promise<number> {
  let removed = 0
  for (const remove of removals) {
    let last = batch
    while (last === batch) {
      last = await transact(deps, innerActor('job', 'clean-up'), (work) => remove(work, deps))
      removed += last
    }
  }
  return removed
}

type Removal = (work: Work, deps: Deps) => Promise<number>

const removals: readonly Removal[] = [
  (work) => removeOlder(work, 'one_time_tokens', 'expires_at', work.now),
  (work) => removeOlder(work, 'pending_signups', 'expires_at', work.now),
  (work) => removeOlder(work, 'usernames', 'expires_at', work.now),
  (work) => removeOlder(work, 'email_reservations', 'expires_at', work.now),
  (work) => removeOlder(work, 'limit_counters', 'expires_at', work.now),
  (work) => removeOlder(work, 'known_devices', 'last_seen_at', work.now - deviceMemory),
  (work) => removeOlder(work, 'mails', 'finished_at', work.now - keepMails),
  (work) => removeOlder(work, 'events', 'at', work.now - keepEvents),
  (work) => removeOlder(work, 'sessions', 'expires_at', work.now),
  (work, deps) => removeOlder(work, 'sessions', 'last_seen_at', work.now - deps.config.sessionIdle),
  dropSealedSuccessors,
]

type Aged =
  | 'one_time_tokens'
  | 'pending_signups'
  | 'usernames'
  | 'email_reservations'
  | 'limit_counters'
  | 'known_devices'
  | 'mails'
  | 'events'
  | 'sessions'

async function removeOlder(work: Work, table: Aged, column: string, instant: number): Promise<number> {
  work.changed([]) // what has expired is refused by every check already
  const key = sql.join(primaryKeys[table].map((name) => sql.ref(name)))
  const { numAffectedRows } = await sql`
    delete from ${sql.table(table)} where (${key}) in
      (select ${key} from ${sql.table(table)} where ${sql.ref(column)} <= ${instant} order by ${sql.ref(column)} limit ${batch})
  `.execute(work.db)
  return Number(numAffectedRows ?? 0)
}

const primaryKeys = {
  one_time_tokens: ['id'],
  pending_signups: ['id'],
  usernames: ['username'],
  email_reservations: ['email'],
  limit_counters: ['key'],
  known_devices: ['user_id', 'place'],
  mails: ['id'],
  events: ['id'],
  sessions: ['id'],
} as const satisfies Record<Aged, readonly string[]>

/** A successor may be asked for during the grace window only. */
async function dropSealedSuccessors(work: Work, deps: Deps): Promise<number> {
  const { numUpdatedRows } = await work.db
    .updateTable('refresh_tokens')
    .set({ successor_sealed: null })
    .where('id', 'in', (eb) =>
      eb
        .selectFrom('refresh_tokens')
        .select('id')
        .where('successor_sealed', 'is not', null)
        .where('spent_at', '<=', work.now - deps.config.refreshGrace)
        .limit(batch),
    )
    .executeTakeFirst()
  return Number(numUpdatedRows)
}
