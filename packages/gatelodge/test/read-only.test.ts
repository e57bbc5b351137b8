import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { after, test } from 'node:test'
import pg from 'pg'
import { boundProgram, runBound } from './support/bound.ts'
import { type CommandFolder, commandFolder } from './support/cli.ts'
import { freePort, stopOwnPostgres } from './support/postgres.ts'
import { startPostgres } from './support/postgres-server.ts'
import { until } from './support/until.ts'

after(stopOwnPostgres)

const password = 'quiet harbour 52'
const person = 'ada@example.com'

test('SQLite: a file, a log or a folder that is read-only is not ready, and doctor says which', async () => {
  await using folder = commandFolder()
  await makePerson(folder)
  const file = join(folder.path, 'data/gatelodge.db')
  const open = await folder.serve() // keeps the SQLite logs in place
  for (const place of [file, `${file}-wal`, `${file}-shm`, dirname(file)]) {
    assert.ok(existsSync(place), place)
    const mode = place === dirname(file) ? 0o700 : 0o600
    chmodSync(place, mode & 0o500)
    const { status, database, advice } = await examine(folder)
    chmodSync(place, mode)
    assert.deepEqual([status, database.status], [1, 'fail'], place)
    assert.match(database.says, /read-only for this user/)
    assert.ok(database.says.includes(`${place} `), database.says)
    assert.ok(advice.includes(`chmod u+w ${place}`), advice)
  }
  assert.equal((await examine(folder)).database.status, 'ok')
  await open.end()

  const empty = commandFolder()
  chmodSync(empty.path, 0o500)
  assert.equal((await examine(empty)).database.status, 'fail')
  chmodSync(empty.path, 0o700)
  await empty[Symbol.asyncDispose]()

  chmodSync(file, 0o400)
  await using server = await serveBound(folder)
  assert.equal((await fetch(`${server.origin}/healthz`)).status, 200)
  await until(async () => String(await ready(server.origin)) === '503,The database cannot be written')
  assert.equal(await signIn(server.origin), 503)
})

test('PostgreSQL: anything that makes it read-only or keeps its role from writing is not ready, and doctor says which', async () => {
  const postgres = await startPostgres()
  const admin = async (sql: string, database = 'postgres') => {
    const client = new pg.Client({ connectionString: postgres.url.replace(/[^/]+$/, database) })
    await client.connect()
    try {
      for (const statement of ['set default_transaction_read_only = off', ...sql.split('; ')])
        await client.query(statement)
    } finally {
      await client.end()
    }
  }
  await admin('create role gate login; create database gate owner gate; grant all on database gate to postgres')
  await using folder = commandFolder({
    GATELODGE_DATABASE: postgres.url.replace('postgres@', 'gate@').replace(/[^/]+$/, 'gate'),
  })
  await makePerson(folder)
  const { origin } = await folder.serve()
  const close = "select pg_terminate_backend(pid) from pg_stat_activity where datname = 'gate'"
  const becomes = (status: number) => until(async () => (await ready(origin))[0] === status)
  await becomes(200)

  const on = 'set default_transaction_read_only = on'
  const off = 'reset default_transaction_read_only'
  const kinds: readonly { make: string; undo: string; says: RegExp; advice: RegExp }[] = [
    {
      make: `alter system ${on}; select pg_reload_conf()`,
      undo: `alter system ${off}; select pg_reload_conf()`,
      says: /default_transaction_read_only is on \(set by: configuration file\)/,
      advice: /alter system reset default_transaction_read_only/,
    },
    {
      make: `alter database gate ${on}; ${close}`,
      undo: `alter database gate ${off}; ${close}`,
      says: /default_transaction_read_only is on \(set by: database\)/,
      advice: /alter database gate reset/,
    },
    {
      make: `alter role gate ${on}; ${close}`,
      undo: `alter role gate ${off}; ${close}`,
      says: /default_transaction_read_only is on \(set by: user\)/,
      advice: /alter role gate reset/,
    },
    {
      make: `alter role gate in database gate ${on}; ${close}`,
      undo: `alter role gate in database gate ${off}; ${close}`,
      says: /default_transaction_read_only is on \(set by: database user\)/,
      advice: /alter role gate in database gate reset/,
    },
    {
      make: 'alter table events owner to postgres; grant select on events to gate',
      undo: 'alter table events owner to gate',
      says: /the role gate lacks these privileges: delete on events, insert on events, update on events/,
      advice: /grant select, insert, update, delete on all tables in schema public to gate/,
    },
    {
      make: 'alter table sessions owner to postgres; grant select, insert, delete on sessions to gate',
      undo: 'alter table sessions owner to gate',
      says: /the role gate lacks these privileges: update on sessions$/,
      advice: /grant select, insert, update, delete/,
    },
  ]
  for (const { make, undo, says, advice } of kinds) {
    await admin(make, 'gate').catch(ofOwnEnd)
    await becomes(503)
    const found = await examine(folder)
    assert.deepEqual([found.status, found.database.status], [1, 'fail'], make)
    assert.match(found.database.says, says)
    assert.match(found.advice, advice)
    await admin(undo, 'gate').catch(ofOwnEnd)
    await becomes(200)
    assert.equal((await examine(folder)).database.status, 'ok', undo)
  }

  await postgres.standBy()
  await becomes(503)
  assert.equal(await signIn(origin), 503)
  const found = await examine(folder)
  assert.match(found.database.says, /the server is a read-only standby/)
  assert.match(found.advice, /pg_promote/)
  await admin('select pg_promote()')
  await becomes(200)
  await until(async () => (await signIn(origin)) === 200)

  await folder[Symbol.asyncDispose]()
  await postgres.stop()
})

/** Returns whether an error comes from ending all connections of a database, which includes our own. */
function ofOwnEnd(error: unknown): void {
  assert.equal((error as { code?: string }).code, '57P01')
}

async function makePerson(folder: CommandFolder): Promise<void> {
  await folder.json(`admin create --email ${person} --password-stdin`, password)
}

async function ready(origin: string): Promise<[number, string | undefined]> {
  const answer = await fetch(`${origin}/readyz`)
  return [answer.status, ((await answer.json()) as { detail?: string }).detail]
}

async function signIn(origin: string): Promise<number> {
  const body = JSON.stringify({ email: person, password })
  const headers = { 'content-type': 'application/json' }
  return (await fetch(`${origin}/api/v1/auth/signin`, { method: 'POST', headers, body })).status
}

interface Check {
  readonly check: string
  readonly status: string
  readonly says: string
  readonly advice: string | null
}

/** Returns what doctor says about the database when run by a user who may not write everything. */
async function examine(folder: CommandFolder): Promise<{ status: number; database: Check; advice: string }> {
  const { status, stdout } = await runBound(folder, ['doctor', '--json', '--public-url', 'http://localhost:9'])
  const { checks } = JSON.parse(stdout) as { checks: Check[] }
  const database = checks.find(({ check }) => check === 'database')
  assert.ok(database, stdout)
  return { status, database, advice: database.advice ?? '' }
}

async function serveBound(folder: CommandFolder): Promise<AsyncDisposable & { readonly origin: string }> {
  const listen = `127.0.0.1:${await freePort()}`
  const { program, argv, options } = boundProgram(folder, ['serve', '--listen', listen])
  const child: ChildProcess = spawn(program, argv, { ...options, stdio: 'ignore' })
  const ended = once(child, 'exit')
  const origin = `http://${listen}`
  await until(
    async () => child.exitCode !== null || (await fetch(`${origin}/healthz`).catch(() => undefined))?.status === 200,
  )
  return {
    origin,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await ended
    },
  }
}
