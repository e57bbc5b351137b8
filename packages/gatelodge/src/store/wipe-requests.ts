import { sql } from 'kysely'
import type { Instant } from '../kernel/clock.ts'
import type { ReadDb, Store, WriteDb } from './store.ts'

/** The row in `jobs` that records a pending wipe: `ran_at` is null until it is done. */
const name = 'erasure'

/**
 * Records, in the transaction of a deletion, that its traces have to be wiped from the SQLite files, so that a crash does not lose the request. No two
 * requests have the same due time.
 */
export async function requestWipe(db: WriteDb, now: Instant): Promise<void> {
  const later = sql<Instant>`case when jobs.due_at < ${now} then ${now} else jobs.due_at + 1 end`
  await db
    .insertInto('jobs')
    .values({ name, due_at: now, ran_at: null })
    .onConflict((conflict) => conflict.column('name').doUpdateSet({ due_at: later, ran_at: null }))
    .execute()
}

/** Returns the due time of the pending request, if there is one. */
export async function findWipeRequest(db: ReadDb): Promise<Instant | undefined> {
  const row = await db
    .selectFrom('jobs')
    .select('due_at')
    .where('name', '=', name)
    .where('ran_at', 'is', null)
    .executeTakeFirst()
  return row?.due_at
}

/** Marks a request as done. If another request came in the meantime, it stays pending. */
export async function settleWipeRequest(store: Pick<Store, 'transaction'>, dueAt: Instant, now: Instant) {
  await store.transaction((db) =>
    db.updateTable('jobs').set({ ran_at: now }).where('name', '=', name).where('due_at', '=', dueAt).execute(),
  )
}
