import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  Kysely,
  PostgresAdapter,
  PostgresQueryCompiler,
  type QueryResult,
  SqliteAdapter,
  SqliteQueryCompiler,
} from 'kysely'
import { Migrator } from 'kysely/migration'
import type { Instant } from '../kernel/clock.ts'
import { AuthError } from '../kernel/errors.ts'
import { migrations } from './migrations/index.ts'
import type { Store } from './store.ts'

export interface MigrationStatus {
  readonly name: string
  readonly appliedAt: Instant | null
}

/** Every known migration and when it was applied. @throws service_unavailable when the database is newer than this program */
export async function migrationStatus(store: Store): Promise<MigrationStatus[]> {
  const applied = await migrator(store).getMigrations()
  await assertKnown(store)
  return applied.map(({ name, executedAt }) => ({ name, appliedAt: executedAt ? executedAt.getTime() : null }))
}

/** Applies what is missing, all or nothing, and answers the names applied. @throws service_unavailable when the database is newer than this program */
export async function migrateUp(store: Store): Promise<string[]> {
  await assertKnown(store)

  const { error, results } = await migrator(store).migrateToLatest()
  if (error) throw error
  return (results ?? []).map(({ migrationName }) => migrationName)
}

/** The SQL that `migrateUp` would run now, statement by statement. */
export async function migrationPlan(store: Store): Promise<{ name: string; sql: string[] }[]> {
  const missing = (await migrationStatus(store)).filter(({ appliedAt }) => appliedAt === null)
  const plan: { name: string; sql: string[] }[] = []
  for (const { name } of missing) {
    const sql: string[] = []
    const recorder = new Kysely<unknown>({ dialect: recordingDialect(store.engine, sql) })
    await migrations[name]?.up(recorder)
    plan.push({ name, sql })
  }
  return plan
}

function migrator(store: Store): Migrator {
  return new Migrator({
    db: store.migrationDb,
    provider: { getMigrations: async () => migrations },
    migrationTableName: 'schema_migrations',
    migrationLockTableName: 'schema_migration_lock',
  })
}

async function assertKnown(store: Store): Promise<void> {
  const tables = await store.migrationDb.introspection.getTables({ withInternalKyselyTables: true })
  if (!tables.some(({ name }) => name === 'schema_migrations')) return

  const rows = await store.migrationDb
    .withTables<{ schema_migrations: { name: string } }>()
    .selectFrom('schema_migrations')
    .select('name')
    .execute()
  const unknown = rows.find(({ name }) => !(name in migrations))
  if (!unknown) return
  throw new AuthError('service_unavailable', {
    detail: `The database was made by a newer Gatelodge (it knows "${unknown.name}"). Run that version, or restore the backup made before the upgrade.`,
  })
}

/** A dialect that notes what it is asked and answers nothing. */
function recordingDialect(engine: Store['engine'], sql: string[]): Dialect {
  const connection: DatabaseConnection = {
    async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
      sql.push(query.sql)
      return { rows: [] }
    },
    streamQuery() {
      throw new Error('a migration plan does not stream')
    },
  }
  const driver: Driver = {
    async init() {},
    acquireConnection: async () => connection,
    async beginTransaction() {},
    async commitTransaction() {},
    async rollbackTransaction() {},
    async releaseConnection() {},
    async destroy() {},
  }
  return {
    createDriver: () => driver,
    createAdapter: () => (engine === 'sqlite' ? new SqliteAdapter() : new PostgresAdapter()),
    createQueryCompiler: () => (engine === 'sqlite' ? new SqliteQueryCompiler() : new PostgresQueryCompiler()),
    createIntrospector() {
      throw new Error('a migration plan does not introspect')
    },
  }
}
