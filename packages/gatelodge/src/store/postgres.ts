import { Kysely, PostgresDialect, sql } from 'kysely'
import pg from 'pg'
import { AuthError } from '../kernel/errors.ts'
import type { Schema } from './schema.ts'
import type { Store } from './store.ts'

/** Opens a pool of connections to a PostgreSQL database. */
export function openPostgres(url: string): Store {
  const types = new pg.TypeOverrides()
  types.setTypeParser(pg.types.builtins.INT8, Number)
  const pool = new pg.Pool({ connectionString: url, max: 10, types, connectionTimeoutMillis: 5_000 })
  pool.on('error', () => {}) // an idle connection that broke is replaced; the next query reports what is wrong
  const db = new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) })
  let version = 0

  return {
    engine: 'postgres',
    db,
    migrationDb: db,
    transaction: (work) => retryDeadlocks(() => db.transaction().execute(work)),
    async notify(db, notice) {
      await sql`select pg_notify('gatelodge', ${JSON.stringify(notice)})`.execute(db)
    },
    onNotice() {},
    foreignVersion: () => ++version, // nothing tells this process of foreign commits, so nothing read before may be trusted
    async backup() {
      throw new AuthError('command_invalid', { detail: 'Back up PostgreSQL with pg_dump.' })
    },
    close: () => db.destroy(),
  }
}

/** A deadlock is broken by failing one side, which is to try again (PostgreSQL manual, 13.3.4): it then sees what the other did. */
async function retryDeadlocks<T>(run: () => Promise<T>, tries = 5): Promise<T> {
  try {
    return await run()
  } catch (error) {
    if (tries === 1 || !(error instanceof pg.DatabaseError) || error.code !== '40P01') throw error
    return retryDeadlocks(run, tries - 1)
  }
}
