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
  /** Claims up to `limit` due mails that nobody else has, the longest due first; those `inFlight` are left out. */
  take(inFlight: readonly string[], limit: number): Promise<MailRow[]>
  /** The claimed mail with a lease that outlives a hand-over, or undefined when somebody else has it by now. */
  hold(row: MailRow): Promise<MailRow | undefined>
  /** Changes a mail and, with `release`, ends its claim; false, with nothing changed, when the claim is not ours any more. */
  update(work: Work, id: string, change: MailChange, end?: 'release'): Promise<boolean>
  /** Ends claims; nobody takes these mails for `pause` ms. */
  giveBack(ids: readonly string[], pause: number): Promise<void>
  /** Ends every claim: for the one server of a SQLite file, when it starts and so knows that its predecessor is dead. */
  endAll(): Promise<void>
}

export type MailChange = Partial<
  Pick<MailRow, 'state' | 'sealed' | 'attempts' | 'last_error' | 'next_attempt_at' | 'finished_at'>
>

/** How long a claim is good for without being renewed, in ms. */
export const leaseTime = longestHandOver + 2 * minute
/** What is left of a lease when a hand-over begins: it cannot run out meanwhile, even if the clocks of two machines are a minute apart. */
const leastLease = longestHandOver + minute
/** No pause between two tries is longer, in ms. A time further ahead, that of a notice that waits for its turn aside, was written by a clock that has been set back since. */
export const longestPause = 15 * minute
const furthestTry = Math.max(1.2 * longestPause, noticeEvery)

const actor = systemActor('job', 'mail-delivery')

/** Claims for one process. A claim is the process's mark in the row and the time until which the others respect it. */
export function createMailClaims(deps: Deps): MailClaims {
  const { store, clock } = deps
  const lease = newId(deps.random)

  return {
    async take(inFlight, limit) {
      // Without a look first, each second of an idle server would cost a write transaction.
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
            (cte) => cte('due').materialized(), // run twice, a select that skips locked rows would claim more than the limit
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

/** A mail never tried is due whatever the clock said when it was asked for, unless it was asked for later. What is ours, but not in hand, was left by a failure of the database. */
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

/** The clock was set back: the claim is cut to one lease from now. Whoever lives holds it still, whoever is dead loses it then. */
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
