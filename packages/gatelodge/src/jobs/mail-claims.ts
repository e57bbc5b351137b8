import type { ExpressionBuilder, ExpressionWrapper, SqlBool } from 'kysely'
import type { Deps } from '../domain/deps.ts'
import { noticeEvery, waitingStates } from '../domain/outbox.ts'
import { systemActor } from '../kernel/actor.ts'
import { type Instant, minute } from '../kernel/clock.ts'
import { newId } from '../kernel/ids.ts'
import type { MailRow, Schema } from '../store/schema.ts'
import { skipLocked } from '../store/skip-locked.ts'
import { transact, type Work } from '../store/unit-of-work.ts'
import { longestHandOver } from './transports.ts'

/** The mails that one process has claimed in the database. */
export interface MailClaims {
  /** Claims up to `limit` due mails that no other process holds, the longest due first, except those `inFlight`. */
  take(inFlight: readonly string[], limit: number): Promise<MailRow[]>
  /** Extends the lease of a claimed mail so that it outlives its delivery. Returns undefined if another process has claimed the mail. */
  hold(row: MailRow): Promise<MailRow | undefined>
  /** Updates a mail and, with `release`, its claim. Returns false and changes nothing if this process no longer holds the claim. */
  update(work: Work, id: string, change: MailChange, end?: 'release'): Promise<boolean>
  /** Releases claims. No process claims these mails again for `pause` ms. */
  giveBack(ids: readonly string[], pause: number): Promise<void>
  /** Releases every claim. For the only server of a SQLite file, which knows on startup that its predecessor is dead. */
  endAll(): Promise<void>
}

export type MailChange = Partial<
  Pick<MailRow, 'state' | 'sealed' | 'attempts' | 'last_error' | 'next_attempt_at' | 'finished_at'>
>

/** How long a claim is valid unless renewed, in ms. */
export const leaseTime = longestHandOver + 2 * minute
/**
 * Minimum remaining lease when a delivery starts, in ms: the lease cannot expire during the delivery, even if the clocks of two machines differ by a minute.
 */
const leastLease = longestHandOver + minute
/** The longest pause between two attempts, in ms. A time further ahead, except that of a delayed notice, was written before the clock was set back. */
export const longestPause = 15 * minute
const furthestTry = Math.max(1.2 * longestPause, noticeEvery)

const actor = systemActor('job', 'mail-delivery')

/** Creates the claims of one process. A claim consists of the ID of the process in the row and the time until which other processes respect it. */
export function createMailClaims(deps: Deps): MailClaims {
  const { store, clock } = deps
  const lease = newId(deps.random)

  return {
    async take(inFlight, limit) {
      // Reads first: otherwise an idle server would start a write transaction every second.
      const looked = store.db.selectFrom('mails').select('id').where(isDueOrMisdated(lease, clock.now())).limit(1)
      if (!(await except(looked, inFlight).executeTakeFirst())) return []

      return transact(deps, actor, async ({ db, now }) => {
        await db
          .updateTable('mails')
          .set({ leased_until: now + leaseTime })
          .where(isLeasedTooLong(now))
          .execute()
        const due = db
          .selectFrom('mails')
          .select('id')
          .where(isDue(lease, now))
          .orderBy('next_attempt_at')
          .orderBy('id')
        const rows = await db
          .with(
            (cte) => cte('due').materialized(), // evaluated twice, a select that skips locked rows would claim more than the limit
            () => skipLocked(store, except(due, inFlight).limit(limit)),
          )
          .updateTable('mails')
          .set({ lease, leased_until: now + leaseTime })
          .where('id', 'in', (eb) => eb.selectFrom('due').select('due.id'))
          .returningAll()
          .execute()
        return rows.sort((a, b) => a.next_attempt_at - b.next_attempt_at || (a.id < b.id ? -1 : 1))
      })
    },

    async hold(row) {
      const left = (row.leased_until ?? 0) - clock.now()
      if (left >= leastLease && left <= leaseTime) return row

      return transact(deps, actor, ({ db, now }) =>
        db
          .updateTable('mails')
          .set({ leased_until: now + leaseTime })
          .where('id', '=', row.id)
          .where('lease', '=', lease)
          .returningAll()
          .executeTakeFirst(),
      )
    },

    async update({ db }, id, change, end) {
      const released = end && { lease: null, leased_until: null }
      const { numUpdatedRows } = await db
        .updateTable('mails')
        .set({ ...change, ...released })
        .where('id', '=', id)
        .where('lease', '=', lease)
        .executeTakeFirst()
      return numUpdatedRows > 0n
    },

    async giveBack(ids, pause) {
      if (ids.length === 0) return

      await transact(deps, actor, ({ db, now }) =>
        db
          .updateTable('mails')
          .set({ lease: null, leased_until: now + pause })
          .where('id', 'in', ids)
          .where('lease', '=', lease)
          .execute(),
      )
    },

    async endAll() {
      await transact(deps, actor, ({ db }) =>
        db
          .updateTable('mails')
          .set({ lease: null, leased_until: null })
          .where('state', 'in', waitingStates)
          .where('lease', 'is not', null)
          .execute(),
      )
    },
  }
}

type Mails = ExpressionBuilder<Schema, 'mails'>
type Condition = (eb: Mails) => ExpressionWrapper<Schema, 'mails', SqlBool>

/**
 * Selects due mails. A mail without attempts is due whatever the clock said when it was requested, unless it was scheduled for later. A mail that we hold but
 * that is not in flight was left over from a database failure.
 */
function isDue(lease: string, now: Instant): Condition {
  return (eb) =>
    eb.and([
      eb('state', 'in', waitingStates),
      eb.or([
        eb.and([eb('attempts', '=', 0), eb('next_attempt_at', '=', eb.ref('created_at'))]),
        eb('next_attempt_at', '<=', now),
        eb('next_attempt_at', '>', now + furthestTry),
      ]),
      eb.or([eb('leased_until', 'is', null), eb('leased_until', '<=', now), eb('lease', '=', lease)]),
    ])
}

/** Selects claims made before the clock was set back. They are shortened to one lease from now: a running process keeps the mail, a dead one loses it then. */
function isLeasedTooLong(now: Instant): Condition {
  return (eb) => eb.and([eb('state', 'in', waitingStates), eb('leased_until', '>', now + leaseTime)])
}

function isDueOrMisdated(lease: string, now: Instant): Condition {
  return (eb) => eb.or([isDue(lease, now)(eb), isLeasedTooLong(now)(eb)])
}

function except<Query extends { where(id: 'id', not: 'not in', ids: readonly string[]): Query }>(
  query: Query,
  ids: readonly string[],
): Query {
  return ids.length > 0 ? query.where('id', 'not in', ids) : query
}
