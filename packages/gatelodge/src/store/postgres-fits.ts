import { sql } from 'kysely'
import { AuthError } from '../kernel/errors.ts'
import type { Store } from './store.ts'

/** The PostgreSQL that the tests run on beside the newest. */
const oldestPostgres = 15

/** Whether version and encoding of a PostgreSQL server are ones that we work with, and our role may read there. @throws service_unavailable with what to do */
export async function assertServerIsSupported({ engine, migrationDb }: Store): Promise<void> {
  if (engine === 'sqlite') return

  const { rows } = await sql<Server>`
    select current_setting('server_version_num') as version, current_setting('server_encoding') as encoding,
      quote_ident(current_database()) as database, quote_ident(current_user) as role, quote_ident(current_schema()) as schema,
      has_table_privilege(to_regclass('schema_migrations'), 'select') as may_read`.execute(migrationDb)
  const [server] = rows
  const major = Math.trunc(Number(server?.version) / 10_000)
  if (major < oldestPostgres)
    throw unfit(`The database server is PostgreSQL ${major}; Gatelodge needs ${oldestPostgres} or newer.`)
  if (server?.encoding !== 'UTF8')
    throw unfit(
      `The database ${server?.database} has the encoding ${server?.encoding}, which cannot hold every name; Gatelodge needs UTF8. ` +
        "Make one with: create database gatelodge encoding 'UTF8' locale 'C' template template0",
    )
  if (server.may_read === false)
    throw unfit(`The role ${server.role} may not read its tables: ${grantOf(server.schema, server.role)}`)
}

interface Server {
  readonly version: string
  readonly encoding: string
  readonly database: string
  readonly role: string
  readonly schema: string
  /** Null before the first step. */
  readonly may_read: boolean | null
}

/** The command that lets a role work with the tables of a schema, both as `quote_ident` has them. */
export function grantOf(schema: string, role: string): string {
  return `grant select, insert, update, delete on all tables in schema ${schema} to ${role}`
}

/** Whether a PostgreSQL server takes writes of anybody, and its schema the tables of missing steps. @throws service_unavailable with what to do */
export async function assertSchemaIsOurs({ engine, migrationDb }: Store, stepsAreMissing: boolean): Promise<void> {
  if (engine === 'sqlite') return

  const { rows } = await sql<{
    is_standby: boolean
    schema: string | null
    may_create: boolean | null
    role: string
    path: string
  }>`
    select pg_is_in_recovery() as is_standby, quote_ident(current_schema()) as schema, quote_ident(current_user) as role,
      has_schema_privilege(current_schema(), 'create') as may_create, current_setting('search_path') as path`.execute(
    migrationDb,
  )
  for (const { is_standby, schema, may_create, role, path } of rows) {
    if (is_standby)
      throw unfit(
        'The database server is a standby, which only reads. Let GATELODGE_DATABASE name the primary, or promote it with: select pg_promote()',
      )
    if (schema === null)
      throw unfit(
        `The search_path of the role ${role} (${path}) names no schema that exists and that the role may use. ` +
          `Make one with: create schema gatelodge authorization ${role}; alter role ${role} set search_path = gatelodge`,
      )
    if (stepsAreMissing && !may_create)
      throw unfit(
        `The role ${role} may not create tables in the schema ${schema}. ` +
          `As its owner, run: grant usage, create on schema ${schema} to ${role}`,
      )
  }
}

function unfit(detail: string): AuthError {
  return new AuthError('service_unavailable', { detail })
}
