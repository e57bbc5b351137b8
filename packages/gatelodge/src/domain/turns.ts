import type { Instant } from '../kernel/clock.ts'
import type { Work } from '../store/unit-of-work.ts'
import type { Deps } from './deps.ts'
import { clockSkew, counterKey } from './limits.ts'

/** One at once, then one in each `every` ms. */
export interface Turns {
  readonly name: string
  /** ms */
  readonly every: number
}

/** The next turn, now or later, which is the caller's from here on; undefined when that one is taken already. The unit of work holds the subject, so that no two take one turn. */
export async function nextTurn(deps: Deps, work: Work, turns: Turns, subject: string): Promise<Instant | undefined> {
  if (!deps.config.rateLimits) return work.now

  const key = counterKey(deps, turns, subject)
  const row = await work.db
    .selectFrom('limit_counters')
    .select('since')
    .where('key', '=', key)
    .where('since', '>', work.now - turns.every)
    .where('since', '<=', work.now + turns.every + clockSkew) // further ahead is of a clock that was set back since
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
