import { createServer } from 'node:net'
import pg from 'pg'
import { migrateUp } from '../../src/store/migrate.ts'
import { openPostgres } from '../../src/store/postgres.ts'
import type { Store } from '../../src/store/store.ts'
import { keptConnection } from './kept-connections.ts'
import type { TestPostgres } from './postgres-server.ts'

let own: Promise<TestPostgres> | undefined
let databases = 0

/**
 * Returns the URL of an empty database on the server that `npm test` started, otherwise on one of this process's own. `release` empties it for the next test,
 * unless a test has changed its schema or its settings.
 */
export async function freshPostgresDatabase(): Promise<{ url: string; release(): Promise<void> }> {
  const url = free.pop() ?? (await createDatabase())
  return {
    url,
    async release() {
      await command(url, emptyEveryTable)
      asMigrated ??= shapeAsMigrated()
      if ((await shapeOf(url)) === (await asMigrated)) free.push(url)
    },
  }
}

let asMigrated: Promise<string> | undefined

async function shapeAsMigrated(): Promise<string> {
  const url = await createDatabase()
  const store = openTestPostgres(url)
  await migrateUp(store)
  await store.close()
  return shapeOf(url)
}

/** Returns a digest of what a test could leave behind besides rows. */
async function shapeOf(url: string): Promise<string> {
  const [row] = await command(
    url,
    `select md5(concat_ws('; ',
      (select string_agg(concat_ws(' ', c.relname, c.relkind, a.attname, a.atttypid, a.attnotnull), ', ' order by c.relname, a.attnum)
        from pg_class c join pg_attribute a on a.attrelid = c.oid where c.relnamespace = 'public'::regnamespace),
      (select string_agg(indexdef, ', ' order by indexdef) from pg_indexes where schemaname = 'public'),
      (select string_agg(tgname, ', ' order by tgname) from pg_trigger where not tgisinternal),
      (select string_agg(nspname, ', ' order by nspname) from pg_namespace where nspname !~ '^pg_'),
      (select string_agg(array_to_string(setconfig, ','), ', ') from pg_db_role_setting s join pg_database d on d.oid = setdatabase
        where datname = current_database()),
      case when to_regclass('public.schema_migrations') is not null then
        query_to_xml('select name from schema_migrations order by name', false, false, '') end)) as shape`,
  )
  return String(row?.shape)
}

/** Opens a database of `freshPostgresDatabase` through connections that the tests of this process share. */
export function openTestPostgres(url: string, direct = directUrlOf(url) ?? null): Store {
  return openPostgres({ url: patientUrl(url), direct, stream: keptConnection(url) })
}

/**
 * Returns a URL of `freshPostgresDatabase` with long timeouts: fifty units of work that take turns are no fault of a busy machine. A URL that already has
 * options keeps them.
 */
export function patientUrl(url: string): string {
  return url.includes('?') ? url : `${url}?connect_timeout=2m&statement_timeout=2m&lock_timeout=2m`
}

/** Returns the URL that bypasses a pooler in front of a database of `freshPostgresDatabase`, if there is one: scripts/pgbouncer.ts. */
export function directUrlOf(url: string): string | undefined {
  if (!url.startsWith('postgres')) return undefined
  return process.env.TEST_POSTGRES_DIRECT?.replace(/[^/]+$/, url.slice(url.lastIndexOf('/') + 1))
}

const free: string[] = []

/** Deletes all rows. Tests have few, so this takes a third of the time of `truncate`, which recreates every file. The role avoids ordering by foreign keys. */
const emptyEveryTable = `do $$ declare name text; begin
  set local session_replication_role = replica;
  for name in select tablename from pg_tables where schemaname = 'public' and tablename not like 'schema_migration%' loop
    execute format('delete from %I', name);
  end loop;
end $$`

async function createDatabase(): Promise<string> {
  const url = process.env.TEST_POSTGRES_URL ?? (await ownServer()).url
  databases += 1
  const name = `test_${process.pid}_${databases}`
  await command(url, `create database ${name}`)
  return url.replace(/[^/]+$/, name)
}

/** Stops the server of this process, if it started one. */
export async function stopOwnPostgres(): Promise<void> {
  await (await own)?.stop()
}

function ownServer(): Promise<TestPostgres> {
  own ??= import('./postgres-server.ts').then(({ startPostgres }) => startPostgres())
  return own
}

async function command(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url, stream: keptConnection(url) })
  await client.connect()
  try {
    return (await client.query(sql)).rows
  } finally {
    await client.end()
  }
}

/** Returns a loopback port that is not in use. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}
