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
  sql,
} from 'kysely'
import { type Instant, systemClock, toIso } from '../kernel/clock.ts'
import { AuthError } from '../kernel/errors.ts'
import { migrations } from './migrations/index.ts'
import { assertSchemaIsOurs, assertServerIsSupported, refuseForeignTable } from './postgres-fits.ts'
import type { Store, WriteDb } from './store.ts'

export interface MigrationStatus {
  readonly name: string
  readonly appliedAt: Instant | null
}

/** An arbitrary number that no other program in the database uses. */
const advisoryLock = 7_236_112_026
/** Waiting for others and a migration of a large table may both take longer than any request. */
const withoutBounds = { unbounded: true }

/**
 * Returns every known migration and when it was applied.
 * @throws service_unavailable if the database belongs to a newer version or to another program, or if its server is too old or has another encoding
 */
export async function migrationStatus(store: Store, steps = migrations): Promise<MigrationStatus[]> {
  await assertServerIsSupported(store)
  return readStatus(store, store.migrationDb, steps)
}

/**
 * Applies all pending migrations or none, and returns the names of those applied. When several processes start together, one migrates while the others wait;
 * on SQLite they wait no longer than any writer.
 * @throws service_unavailable if the database belongs to a newer version or does not fit (`postgres-fits.ts`); database_busy
 */
export async function migrateUp(store: Store, steps = migrations): Promise<string[]> {
  const stepsAreMissing = namesMissing(await migrationStatus(store, steps)).length > 0
  await assertSchemaIsOurs(store, stepsAreMissing)
  if (!stepsAreMissing) return []

  return store.transaction(async (db) => {
    await waitForOthers(store, db)
    await createStepsTable(db)
    const missing = namesMissing(await readStatus(store, db, steps))
    for (const name of missing) {
      await steps[name]?.up(db as unknown as Kysely<unknown>) // a migration knows only the schema of its own time
      const applied = { name, timestamp: toIso(systemClock.now()) }
      await withSteps(db).insertInto('schema_migrations').values(applied).execute()
    }
    return missing
  }, withoutBounds)
}

/** Returns the SQL that `migrateUp` would run now, statement by statement. @throws service_unavailable as migrationStatus does */
export async function migrationPlan(store: Store, steps = migrations): Promise<{ name: string; sql: string[] }[]> {
  const plan: { name: string; sql: string[] }[] = []
  for (const name of namesMissing(await migrationStatus(store, steps))) {
    plan.push({ name, sql: await statementsOf(store, steps[name]) })
  }
  return plan
}

async function statementsOf({ engine }: Store, step: (typeof migrations)[string] | undefined): Promise<string[]> {
  const statements: string[] = []
  await step?.up(new Kysely<unknown>({ dialect: recordingDialect(engine, statements) }))
  return statements
}

async function readStatus(store: Store, db: AnyDb, steps: typeof migrations): Promise<MigrationStatus[]> {
  const rows = (await hasStepsTable(store, db))
    ? await withSteps(db).selectFrom('schema_migrations').select(['name', 'timestamp']).execute()
    : []
  const unknown = rows.find(({ name }) => !Object.hasOwn(steps, name))
  if (unknown) {
    throw new AuthError('service_unavailable', {
      detail: `The database was migrated by a newer version of Gatelodge (migration "${unknown.name}"). Run that version, or restore the backup made before the upgrade.`,
    })
  }

  const applied = new Map(rows.map(({ name, timestamp }) => [name, Date.parse(timestamp)]))
  return Object.keys(steps).map((name) => ({ name, appliedAt: applied.get(name) ?? null }))
}

function namesMissing(status: readonly MigrationStatus[]): string[] {
  return status.filter(({ appliedAt }) => appliedAt === null).map(({ name }) => name)
}

/** SQLite's transaction holds the write lock from the start. PostgreSQL's lock ends with the transaction, so that it also works through a pooler. */
async function waitForOthers(store: Store, db: WriteDb): Promise<void> {
  if (store.engine === 'sqlite') return

  await sql`select pg_advisory_xact_lock(${advisoryLock})`.execute(db)
}

async function createStepsTable(db: WriteDb): Promise<void> {
  await db.schema
    .createTable('schema_migrations')
    .ifNotExists()
    .addColumn('name', 'varchar(255)', (column) => column.primaryKey())
    .addColumn('timestamp', 'varchar(255)', (column) => column.notNull())
    .execute()
}

/**
 * Returns whether the migrations table exists. It counts if it has our columns, on PostgreSQL in any schema of the search_path. If it does not exist, no
 * table or index that the migrations create may exist either. The second look uses one statement for all names, so that migrations which another process has
 * just applied do not look like tables of another program.
 * @throws service_unavailable for tables of another program
 */
async function hasStepsTable(store: Store, db: AnyDb): Promise<boolean> {
  const isOurs = ({ name, has_our_columns }: Relation) => name === 'schema_migrations' && has_our_columns
  if ((await findRelations(store, db, ['schema_migrations'])).some(isOurs)) return true

  const found = await findRelations(store, db, ['schema_migrations', ...(await namesMadeBy(store))])
  if (found.some(isOurs)) return true

  const foreign = found.find(({ is_here }) => is_here)
  return foreign ? refuseForeignTable(store, db, foreign.name) : false
}

async function findRelations({ engine }: Store, db: AnyDb, names: readonly string[]): Promise<Relation[]> {
  const query =
    engine === 'sqlite'
      ? sql<Relation>`
          select lower(name) as name, true as is_here, (
            select count(*) from pragma_table_info(found.name) as columns where columns.name in ('name', 'timestamp')
          ) = 2 as has_our_columns
          from sqlite_master as found where lower(name) in (${sql.join(names)})`
      : sql<Relation>`
          select relname as name, relnamespace = to_regnamespace(quote_ident(current_schema())) as is_here, (
            select count(*) from pg_attribute where attrelid = found.oid and attname in ('name', 'timestamp')
          ) = 2 as has_our_columns
          from pg_class as found
          where oid = to_regclass('schema_migrations')
            or relnamespace = to_regnamespace(quote_ident(current_schema())) and relname = any(${names}::text[])`
  return (await query.execute(db)).rows
}

/** SQLite returns 1 for true. */
interface Relation {
  readonly name: string
  readonly is_here: boolean | number
  readonly has_our_columns: boolean | number
}

async function namesMadeBy(store: Store): Promise<string[]> {
  const statements = await Promise.all(Object.values(migrations).map((step) => statementsOf(store, step)))
  return statements.flat().flatMap((text) => /^\s*create (?:table|(?:unique )?index) "?(\w+)"?/i.exec(text)?.[1] ?? [])
}

type AnyDb = Store['migrationDb'] | WriteDb

function withSteps(db: AnyDb) {
  return db.withTables<{ schema_migrations: { name: string; timestamp: string } }>()
}

/** Creates a dialect that records statements and returns no rows. */
function recordingDialect(engine: Store['engine'], statements: string[]): Dialect {
  const connection: DatabaseConnection = {
    async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
      statements.push(query.sql)
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
