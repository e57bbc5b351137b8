import { sql } from 'kysely'
import type { Instant } from '../kernel/clock.ts'
import type { ReadDb, Store, WriteDb } from './store.ts'

/** The row of `jobs` that says whether something is to be wiped; `ran_at` is null as long as it is. */
const name = 'erasure'

/** Stores with the deletion that its traces are to be wiped from the files of SQLite, so that a crash forgets nothing. No two requests have the same due time. */
export async function requestWipe(db: WriteDb, now: Instant): Promise<void> {
  const later = sql<Instant>`case when jobs.due_at < ${now} then ${now} else jobs.due_at + 1 end`
  await db
    .insertInto('jobs')
    .values({ name, due_at: now, ran_at: null })
    .onConflict((conflict) => conflict.column('name').doUpdateSet({ due_at: later, ran_at: null }))
    .execute()
}

/** The due time of the request that waits. */
export async function findWipeRequest(db: ReadDb): Promise<Instant | undefined> {
  const row = await db
    .selectFrom('jobs')
    .select('due_at')
    .where('name', '=', name)
    .where('ran_at', 'is', null)
    .executeTakeFirst()
  return row?.due_at
}

/** Says that everything is wiped that was deleted up to a request; one that came later stays. */
export async function settleWipeRequest(store: Pick<Store, 'transaction'>, dueAt: Instant, now: Instant) {
  await store.transaction((db) =>
    db.updateTable('jobs').set({ ran_at: now }).where('name', '=', name).where('due_at', '=', dueAt).execute(),
  )
}
