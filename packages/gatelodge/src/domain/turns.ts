import type { Instant } from '../kernel/clock.ts'
import type { Work } from '../store/unit-of-work.ts'
import type { Deps } from './deps.ts'
import { clockSkew, counterKey } from './limits.ts'

/** Grants one turn immediately, then one every `every` ms. */
export interface Turns {
  readonly name: string
  /** In ms. */
  readonly every: number
}

/**
 * Returns the next turn, now or later, and reserves it for the caller; undefined if it is already taken. The unit of work has locked the subject, so that no
 * two take the same turn.
 */
export async function nextTurn(deps: Deps, work: Work, turns: Turns, subject: string): Promise<Instant | undefined> {
  if (!deps.config.rateLimits) return work.now

  const key = counterKey(deps, turns, subject)
  const row = await work.db
    .selectFrom('limit_counters')
    .select('since')
    .where('key', '=', key)
    .where('since', '>', work.now - turns.every)
    .where('since', '<=', work.now + turns.every + clockSkew) // further ahead: written before a clock was set back
    .executeTakeFirst()
  if (row && row.since > work.now) return undefined

  const turn = row ? row.since + turns.every : work.now
  const values = { count: 1, since: turn, blocked_until: 0, expires_at: turn + turns.every }
  await work.db
    .insertInto('limit_counters')
    .values({ key, ...values })
    .onConflict((conflict) => conflict.column('key').doUpdateSet(values))
    .execute()
  return turn
}
