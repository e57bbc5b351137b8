import { sql } from 'kysely'
import { AuthError } from '../kernel/errors.ts'
import { copiedTables } from './copy.ts'
import { PostgresFailure } from './postgres-errors.ts'
import { grantOf } from './postgres-fits.ts'
import type { ReadDb, Store, WriteDb } from './store.ts'

type Transact = (work: (db: WriteDb) => Promise<void>) => Promise<void>

/** Writes about 60 pages of 4 KiB, twice as much as a sign-up, so that the proof fails whenever a sign-up does. */
const proofText = 'x'.repeat(128 * 1024)
/** Pages. What exceeds the cache is written to the log immediately, not only on commit. */
const shrinkCache = sql`pragma cache_size = 8`
/** KiB, since the number is negative. This is SQLite's default. */
const restoreCache = sql`pragma cache_size = -2000`

/**
 * Proves that a SQLite file accepts writes: pages are written to its log and rolled back, so nothing is committed and no other process has to read again. The
 * transaction also proves that no other writer blocks it.
 * @throws service_unavailable, database_busy
 */
export async function proveSqliteWrite(transact: Transact): Promise<void> {
  const undone = new Error('undone')
  try {
    await transact(async (db) => {
      await shrinkCache.execute(db)
      try {
        await db.insertInto('jobs').values({ name: proofText, due_at: 0, ran_at: null }).execute()
      } finally {
        await restoreCache.execute(db)
      }
      throw undone
    })
  } catch (error) {
    if (error !== undone) throw error
  }
}

/**
 * Proves that PostgreSQL accepts writes without changing a row: an update that matches no row still fails on a standby, in a read-only transaction and while
 * the table is locked. The logical message is a WAL record, so the commit waits for the disk and for synchronous standbys.
 * @throws service_unavailable, database_busy
 */
export async function provePostgresWrite(transact: Transact): Promise<void> {
  await transact(async (db) => {
    const missing = await missingPrivileges(db)
    if (missing.length > 0) {
      const cause = new PostgresFailure(`its role lacks these privileges: ${missing.join(', ')}`, undefined)
      throw new AuthError('service_unavailable', { retryAfter: 5, cause })
    }
    await sql`update users set id = id where false`.execute(db)
    await sql`select pg_logical_emit_message(true, 'gatelodge', 'proof of a write')`.execute(db)
  })
}

/** Throws unless the PostgreSQL role has every privilege that it needs on the tables of the current schema. @throws service_unavailable with what to grant */
export async function assertMayWork({ engine, db }: Pick<Store, 'engine' | 'db'>): Promise<void> {
  if (engine === 'sqlite') return

  const missing = await missingPrivileges(db)
  if (missing.length === 0) return
  const { rows } = await sql<{ role: string; schema: string }>`
    select quote_ident(current_user) as role, quote_ident(current_schema()) as schema`.execute(db as WriteDb)
  const detail = rows.map(
    ({ role, schema }) =>
      `The role ${role} lacks these privileges: ${missing.slice(0, 3).join(', ')}. Run: ${grantOf(schema, role)}`,
  )
  throw new AuthError('service_unavailable', { detail: detail.join() })
}

/** Returns the privileges that the PostgreSQL role lacks, for example `insert on events`. */
export async function missingPrivileges(db: ReadDb): Promise<string[]> {
  const tables = Object.keys(copiedTables)
  const { rows } = await sql<{ missing: string }>`
    select privilege || ' on ' || name as missing
    from unnest(${tables}::text[]) as name, unnest(array['select', 'insert', 'update', 'delete']) as privilege
    where not has_table_privilege(name, privilege)
    order by 1`.execute(db as WriteDb) // a ReadDb can execute raw SQL too
  return rows.map(({ missing }) => missing)
}
