import type { Deps } from '../domain/deps.ts'
import { systemActor } from '../kernel/actor.ts'
import { type Instant, minute } from '../kernel/clock.ts'
import { transact } from '../store/unit-of-work.ts'
import { type RepeatedJob, repeat } from './repeat.ts'

/** How much the clocks of several machines may differ, in ms. */
const clockSkew = minute

/**
 * Runs `work` every `interval` ms in one of the processes on the database: the first that checks when it is due. If that process dies during the run, the
 * next run may start in another process. Work that takes longer than the interval may overlap with itself and has to tolerate that.
 */
export function repeatOnce(
  deps: Deps,
  name: string,
  interval: number,
  work: (stopping: AbortSignal) => Promise<unknown>,
): RepeatedJob {
  const looks = Math.min(minute, interval / 5)
  return repeat(deps.log, name, looks, async (stopping) => {
    if (await claimRun(deps, name, interval)) await work(stopping)
  })
}

/** Claims the run that is due. Returns false if none is due or another process has claimed it. A conditional update moves the due time by the interval. */
export async function claimRun(deps: Deps, name: string, interval: number): Promise<boolean> {
  const job = await deps.store.db.selectFrom('jobs').select('due_at').where('name', '=', name).executeTakeFirst()
  if (job && !isDue(job.due_at, deps.clock.now(), interval)) return false

  return transact(deps, systemActor('job', name), async ({ db, now }) => {
    await db
      .insertInto('jobs')
      .values({ name, due_at: now, ran_at: null })
      .onConflict((conflict) => conflict.column('name').doNothing())
      .execute()
    const { numUpdatedRows } = await db
      .updateTable('jobs')
      .set({ due_at: now + interval, ran_at: now })
      .where('name', '=', name)
      .where((eb) => eb.or([eb('due_at', '<=', now), eb('due_at', '>', latestDue(now, interval))]))
      .executeTakeFirstOrThrow()
    return numUpdatedRows > 0n
  })
}

function isDue(dueAt: Instant, now: Instant, interval: number): boolean {
  return dueAt <= now || dueAt > latestDue(now, interval)
}

/** A due time after this was calculated before the clock was set back, and must not stop the job. */
function latestDue(now: Instant, interval: number): Instant {
  return now + interval + clockSkew
}
