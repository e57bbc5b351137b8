import { sql } from 'kysely'
import { AuthError } from '../kernel/errors.ts'
import type { Obstacle } from './places.ts'
import type { Store, WriteDb } from './store.ts'

/** The oldest major version that the tests run on. */
const oldestPostgres = 15

/**
 * Throws unless the version and encoding of the PostgreSQL server are supported and the role can read the migrations table.
 * @throws service_unavailable with what to do
 */
export async function assertServerIsSupported({ engine, migrationDb }: Store): Promise<void> {
  if (engine === 'sqlite') return

  const { rows } = await sql<Server>`
    select current_setting('server_version_num') as version, current_setting('server_encoding') as encoding,
      quote_ident(current_database()) as database, quote_ident(current_user) as role, quote_ident(current_schema()) as schema,
      case when (
        select count(*) from pg_attribute where attrelid = to_regclass('schema_migrations') and attname in ('name', 'timestamp')
      ) = 2 then has_table_privilege(to_regclass('schema_migrations'), 'select') end as may_read`.execute(migrationDb)
  const [server] = rows
  const major = Math.trunc(Number(server?.version) / 10_000)
  if (major < oldestPostgres)
    throw unfit(`The database server is PostgreSQL ${major}; Gatelodge requires ${oldestPostgres} or newer.`)
  if (server?.encoding !== 'UTF8')
    throw unfit(
      `The database ${server?.database} has the encoding ${server?.encoding}, which cannot store every name; Gatelodge requires UTF8. ` +
        "Create one with: create database gatelodge encoding 'UTF8' locale 'C' template template0",
    )
  if (server.may_read === false)
    throw unfit(`The role ${server.role} may not read its tables. Run: ${grantOf(server.schema, server.role)}`)
}

interface Server {
  readonly version: string
  readonly encoding: string
  readonly database: string
  readonly role: string
  readonly schema: string
  /** Null before the first migration, and for a table of another program. */
  readonly may_read: boolean | null
}

/** Returns the command that grants a role access to the tables of a schema. Both names are already quoted by `quote_ident`. */
export function grantOf(schema: string, role: string): string {
  return `grant select, insert, update, delete on all tables in schema ${schema} to ${role}`
}

/** Throws unless the PostgreSQL server accepts writes and the schema can hold the tables of pending migrations. @throws service_unavailable with what to do */
export async function assertSchemaIsOurs(store: Store, stepsAreMissing: boolean): Promise<void> {
  const misfit = await findMisfit(store, stepsAreMissing)
  if (misfit) throw unfit(`${misfit.says}. ${misfit.advice}`)
}

/**
 * Returns why the PostgreSQL server does not accept writes, or why pending migrations cannot create their tables. Returns undefined if there is no obstacle.
 */
export async function findMisfit(store: Store, stepsAreMissing: boolean): Promise<Obstacle | undefined> {
  if (store.engine === 'sqlite') return undefined

  const { rows } = await sql<Place>`
    select pg_is_in_recovery() as is_standby, quote_ident(current_schema()) as schema, quote_ident(current_user) as role,
      quote_ident(current_database()) as database, has_schema_privilege(current_schema(), 'create') as may_create,
      current_setting('search_path') as path`.execute(store.migrationDb)
  for (const place of rows) {
    const { is_standby, schema, may_create, role } = place
    if (is_standby)
      return {
        says: 'The database server is a read-only standby',
        advice: 'Point GATELODGE_DATABASE to the primary, or promote it with: select pg_promote()',
      }
    if (schema === null)
      return {
        says: `The search_path of the role ${role} (${place.path}) names no existing schema that the role may use`,
        advice: `Create one with: ${ownSchemaOf(place)}`,
      }
    if (/^pg_|^information_schema$/.test(schema))
      return {
        says: `The search_path of the role ${role} (${place.path}) resolves to ${schema}, which belongs to PostgreSQL itself`,
        advice: `Create a dedicated schema with: ${ownSchemaOf(place)}`,
      }
    if (stepsAreMissing && !may_create)
      return {
        says: `The role ${role} may not create tables in the schema ${schema}`,
        advice: `As its owner, run: grant usage, create on schema ${schema} to ${role}`,
      }
  }
  return findReadOnlyDefault(store)
}

interface Place {
  readonly is_standby: boolean
  readonly schema: string | null
  readonly may_create: boolean | null
  readonly role: string
  readonly database: string
  readonly path: string
}

/** Returns the commands that give a role its own schema, wherever its search_path is set. Names are already quoted by `quote_ident`. */
function ownSchemaOf({ role, database }: { role: string; database: string }): string {
  return `create schema gatelodge authorization ${role}; alter role ${role} in database ${database} set search_path = gatelodge`
}

/**
 * Returns which setting makes every PostgreSQL transaction read-only, with the commands that remove it. An administrator set it on purpose, so it is not
 * overridden.
 */
export async function findReadOnlyDefault({ migrationDb }: Store): Promise<Obstacle | undefined> {
  const { rows } = await sql<{ source: string }>`
    select source from pg_settings where name = 'default_transaction_read_only' and setting = 'on'`.execute(migrationDb)
  for (const { source } of rows) {
    const resets = await sql<{ reset: string }>`
      select format(case
          when setrole = 0 and setdatabase = 0 then 'alter role all'
          when setrole = 0 then 'alter database %1$I'
          when setdatabase = 0 then 'alter role %2$I'
          else 'alter role %2$I in database %1$I' end, current_database(), session_user)
        || ' reset default_transaction_read_only' as reset
      from pg_db_role_setting, unnest(setconfig) as entry
      where setdatabase in (0, (select oid from pg_database where datname = current_database()))
        and setrole in (0, (select oid from pg_roles where rolname = session_user))
        and case when entry like 'default_transaction_read_only=%' then split_part(entry, '=', 2)::boolean end
      order by setrole <> 0, setdatabase <> 0`.execute(migrationDb)
    const commands = resets.rows.map(({ reset }) => reset).join('; ')
    return {
      says: `Every transaction is read-only: default_transaction_read_only is on (set by: ${source})`,
      advice: commands ? `Run: ${commands}` : (ends[source] ?? `Run: ${systemReset} (also check postgresql.conf)`),
    }
  }
  return undefined
}

const systemReset = 'alter system reset default_transaction_read_only; select pg_reload_conf()'
/** By source of the setting, if no SQL command removes it. */
const ends: Readonly<Record<string, string>> = {
  client: 'Remove default_transaction_read_only from PGOPTIONS, or from the settings of the pooler',
  'command line': 'Start PostgreSQL without this option on its command line',
}

/** Throws because a table of another program has the name of one of our tables. @throws service_unavailable with what to do */
export async function refuseForeignTable(
  { engine }: Store,
  db: Store['migrationDb'] | WriteDb,
  table: string,
): Promise<never> {
  if (engine === 'sqlite')
    throw unfit(
      `The database file contains tables of another program, such as "${table}". Point GATELODGE_DATABASE to a file that only Gatelodge uses.`,
    )
  const { rows } = await sql<{ schema: string; role: string; database: string }>`
    select quote_ident(current_schema()) as schema, quote_ident(current_user) as role,
      quote_ident(current_database()) as database`.execute(db)
  throw unfit(
    rows
      .map(
        ({ schema, role, database }) =>
          `The schema ${schema} of the database ${database} contains tables of another program, such as "${table}". ` +
          'Point GATELODGE_DATABASE to a database that only Gatelodge uses, created with: ' +
          `create database gatelodge owner ${role} encoding 'UTF8' locale 'C' template template0; or create a dedicated schema with: ${ownSchemaOf({ role, database })}`,
      )
      .join(),
  )
}

function unfit(detail: string): AuthError {
  return new AuthError('service_unavailable', { detail })
}
