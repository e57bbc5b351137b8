import { sql } from 'kysely'
import type { Config } from '../../config.ts'
import { second } from '../../kernel/clock.ts'
import { isAuthError } from '../../kernel/errors.ts'
import { within } from '../../kernel/within.ts'
import { findObstacle, type Obstacle } from '../../store/places.ts'
import { findReadOnlyDefault, grantOf } from '../../store/postgres-fits.ts'
import { explainSqlite, findSqliteObstacle, serverLockFile } from '../../store/sqlite-places.ts'
import type { Store } from '../../store/store.ts'
import { missingPrivileges } from '../../store/write-proof.ts'
import { whyOf } from '../text.ts'
import type { Finding } from './finding.ts'

/** A database that has not completed a write in this time counts as not accepting writes, in ms. */
const writeTimeout = 10 * second

/** Finds what prevents this user from using a SQLite database (see `findSqliteObstacle`) or its server lock. Returns undefined if nothing does. */
export function findUnusablePlace({ database }: Config): Finding | undefined {
  if (database.kind === 'postgres' || database.path === ':memory:') return undefined

  const obstacle = findSqliteObstacle(database.path) ?? findObstacle(serverLockFile(database.path))
  if (!obstacle) return undefined
  return { check: 'database', status: 'fail', says: `cannot be used: ${obstacle.says}`, advice: obstacle.advice }
}

/** Checks that a migrated database accepts writes. Leaves nothing behind. */
export async function checkWrites({ database }: Config, store: Store): Promise<Finding> {
  const check = 'database'
  try {
    await within(writeTimeout, store.proveWrite(), () => new Error(`no answer in ${writeTimeout / second} seconds`))
    return { check, status: 'ok', says: `can be opened (${store.engine}) and written; its schema is up to date` }
  } catch (error) {
    const { says, advice } =
      database.kind === 'sqlite' ? ofSqlite(database.path, error) : await ofPostgres(store, error)
    return { check, status: 'fail', says: `can be opened (${store.engine}) but not written: ${says}`, advice }
  }
}

function ofSqlite(path: string, error: unknown): Obstacle {
  if (isAuthError(error, 'database_busy')) {
    return {
      says: 'another program holds the write lock',
      advice: `find the program that has ${path} open, such as a SQLite shell or a running copy`,
    }
  }
  return explainSqlite(path, error) ?? { says: whyOf(error), advice: `check that ${path} and its disk are writable` }
}

async function ofPostgres(store: Store, error: unknown): Promise<Obstacle> {
  const { role, schema, is_standby } = await readServer(store)
  if (is_standby) {
    return {
      says: 'the server is a read-only standby',
      advice: 'point GATELODGE_DATABASE to the primary, or promote this server with "select pg_promote()"',
    }
  }
  const readOnly = await findReadOnlyDefault(store)
  if (readOnly) return readOnly
  const missing = await missingPrivileges(store.db)
  if (missing.length > 0) {
    const more = missing.length > 3 ? ` and ${missing.length - 3} more` : ''
    return {
      says: `the role ${role} lacks these privileges: ${missing.slice(0, 3).join(', ')}${more}`,
      advice: grantOf(schema, role),
    }
  }
  return { says: whyOf(error), advice: 'check the log of PostgreSQL' }
}

async function readServer({ migrationDb }: Store) {
  const { rows } = await sql<{ role: string; schema: string; is_standby: boolean }>`
    select quote_ident(current_user) as role, quote_ident(current_schema()) as schema, pg_is_in_recovery() as is_standby`.execute(
    migrationDb,
  )
  const [server] = rows
  if (!server) throw new Error('the server returned no row about itself')
  return server
}
