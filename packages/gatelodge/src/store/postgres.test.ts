import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { sql } from 'kysely'
import pg from 'pg'
import { composeTest, TestApp } from '../../test/support/app.ts'
import { testAuthority } from '../../test/support/certificates.ts'
import { testClock } from '../../test/support/deps.ts'
import { freePort, freshPostgresDatabase, stopOwnPostgres } from '../../test/support/postgres.ts'
import { startPostgres } from '../../test/support/postgres-server.ts'
import { tcpProxy } from '../../test/support/tcp-proxy.ts'
import { AuthError } from '../kernel/errors.ts'
import { migrateUp } from './migrate.ts'
import { openPostgres } from './postgres.ts'
import { PostgresFailure } from './postgres-errors.ts'
import type { Store, WriteDb } from './store.ts'

const database = await freshPostgresDatabase()
const schema = openPostgres({ url: database.url })
await migrateUp(schema)
await schema.close()
after(stopOwnPostgres)

/** Opens a store on the database of this file, closed at the end of the test. */
function open(query = '', url = database.url): Store & AsyncDisposable {
  const store = openPostgres({ url: `${url}${query}` })
  return Object.assign(store, { [Symbol.asyncDispose]: () => store.close() })
}

const ask = async (db: Store['migrationDb'] | WriteDb, text: string) =>
  (await sql.raw<Record<string, unknown>>(text).execute(db)).rows
const setting = async (db: Store['migrationDb'] | WriteDb, name: string) =>
  (await ask(db, `select current_setting('${name}') as value`))[0]?.value

/** Returns the error of a failed call as its caller and an operator see it. */
async function failureOf(
  call: Promise<unknown>,
): Promise<{ code: string; retryAfter: number | undefined; why: string }> {
  const error = await call.then(
    () => assert.fail('it should have failed'),
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof AuthError, String(error))
  assert.ok(error.cause instanceof PostgresFailure)
  return { code: error.code, retryAfter: error.retryAfter, why: error.cause.message }
}

test('timeouts are set per transaction, and none for an unbounded one', async () => {
  await using store = open('?pool=1&statement_timeout=7s&lock_timeout=3s')
  const names = ['statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout']
  const inside = (db: WriteDb) => Promise.all(names.map((name) => setting(db, name)))
  assert.deepEqual(await store.transaction(inside), ['7s', '3s', '1min'])
  assert.deepEqual(await store.transaction(inside, { unbounded: true }), ['0', '0', '0'])
  assert.deepEqual(await Promise.all(names.map((name) => setting(store.migrationDb, name))), ['0', '0', '0'])
})

test('a statement that runs or waits for a lock too long is cancelled, inside and outside a transaction', async () => {
  await using store = open('?statement_timeout=200ms&lock_timeout=50ms')
  const slow = 'select pg_sleep(30)'
  assert.equal((await failureOf(store.transaction((db) => ask(db, slow)))).code, 'database_busy')
  assert.equal((await failureOf(ask(store.migrationDb, slow))).code, 'service_unavailable')

  await store.transaction(async (db) => {
    await ask(db, 'lock table jobs')
    const { code, retryAfter } = await failureOf(store.transaction((other) => ask(other, 'lock table jobs')))
    assert.deepEqual([code, retryAfter], ['database_busy', 1])
  })
})

test('an error in our own SQL is returned unchanged', async () => {
  await using store = open()
  const broken = (text: string) => ask(store.migrationDb, text).catch((error: unknown) => error)
  for (const text of ['selec 1', 'select 1/0', "select 'x'::int", 'select * from nowhere']) {
    assert.ok((await broken(text)) instanceof pg.DatabaseError, text)
  }
  const swallowed = store.transaction(async (db) => void (await ask(db, 'select 1/0').catch(() => {})))
  await assert.rejects(swallowed, (error) => !(error instanceof AuthError)) // rolled back, so it must not resolve
})

test('a connection closed by the server fails only its own request', async () => {
  await using store = open('?pool=1')
  await using other = open()
  const end = (pid: unknown) => ask(other.migrationDb, `select pg_terminate_backend(${pid})`)
  const pidOf = async (db: Store['migrationDb'] | WriteDb) => (await ask(db, 'select pg_backend_pid() as pid'))[0]?.pid

  const running = store.transaction(async (db) => {
    const pid = await pidOf(db)
    const slow = ask(db, 'select pg_sleep(30)')
    await Promise.all([slow, end(pid)])
  })
  const { code, retryAfter } = await failureOf(running)
  assert.deepEqual([code, retryAfter], ['service_unavailable', 5])

  const between = store.transaction(async (db) => {
    const pid = await pidOf(db)
    await end(pid)
    await goneFrom(other, pid)
    await ask(db, 'select 1')
  })
  assert.equal((await failureOf(between)).code, 'service_unavailable')

  const pid = await pidOf(store.migrationDb)
  await end(pid)
  await goneFrom(other, pid)
  await ask(store.migrationDb, 'select 1').catch((error) => assert.equal(error.code, 'service_unavailable'))
  assert.equal((await ask(store.migrationDb, 'select 1 as one'))[0]?.one, 1)
})

test('after a server became a standby, the next query uses a new connection', async () => {
  await using store = open('?pool=1')
  const pid = async () => (await ask(store.migrationDb, 'select pg_backend_pid() as pid'))[0]?.pid
  const before = await pid()
  const written = store.transaction(async (db) => {
    await ask(db, 'set transaction read only')
    await ask(db, 'delete from jobs')
  })
  assert.equal((await failureOf(written)).code, 'service_unavailable')
  assert.notEqual(await pid(), before)
})

test('transactions in a deadlock are retried, and both succeed', async () => {
  await using store = open()
  await store.transaction((db) => ask(db, "insert into jobs (name, due_at) values ('one', 0), ('two', 0)"))
  const touch = (db: WriteDb, name: string) => ask(db, `update jobs set due_at = due_at + 1 where name = '${name}'`)
  const both = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const
  let runs = 0
  const cross = (mine: 0 | 1, names: readonly [string, string]) =>
    store.transaction(async (db) => {
      runs += 1
      await touch(db, names[0])
      both[mine].resolve()
      await both[mine === 0 ? 1 : 0].promise
      await touch(db, names[1])
    })
  await Promise.all([cross(0, ['one', 'two']), cross(1, ['two', 'one'])])
  assert.equal(runs, 3)
  assert.deepEqual(await ask(store.migrationDb, "select due_at from jobs where name in ('one', 'two')"), [
    { due_at: 2 },
    { due_at: 2 },
  ])
})

test('a commit whose response is lost fails and is not retried', async () => {
  const proxy = await tcpProxy(database.url)
  const store = open('?statement_timeout=100ms', proxy.via(database.url))
  let runs = 0
  const { code } = await failureOf(
    store.transaction(async (db) => {
      runs += 1
      await ask(db, "insert into jobs (name, due_at) values ('unknown', 0)")
      proxy.delivers = 'nothing'
    }),
  )
  assert.deepEqual([code, runs], ['service_unavailable', 1])
  await using other = open()
  assert.equal((await ask(other.migrationDb, "select 1 from jobs where name = 'unknown'")).length, 1)
  await store.close()
  await proxy.close()
})

test('an exhausted pool, a closed port and a missing database are reported to the operator as different failures', async () => {
  await using store = open('?pool=1&connect_timeout=1s')
  await store.transaction(async () => {
    assert.equal((await failureOf(ask(store.migrationDb, 'select 1'))).code, 'database_busy')
  })

  await using closed = open('', `postgres://u:hidden-password@127.0.0.1:${await freePort()}/g`)
  const refused = await failureOf(ask(closed.migrationDb, 'select 1'))
  assert.deepEqual(
    [refused.code, refused.why],
    ['service_unavailable', 'nothing is listening at its address: start PostgreSQL, or correct the address'],
  )
  await using nameless = open('', database.url.replace(/[^/]+$/, 'nowhere'))
  assert.match((await failureOf(ask(nameless.migrationDb, 'select 1'))).why, /CREATE DATABASE/)
  assert.throws(() => openPostgres({ url: 'postgres://db/g?sslmode=maybe' }), { code: 'config_invalid' })
})

test('while the database hangs, requests and the readiness check return 503 in time, and shutdown does not wait for it', async () => {
  const proxy = await tcpProxy(database.url)
  const logged: Parameters<typeof composeTest>[2] = []
  const clock = testClock()
  const composition = await composeTest(
    { database: `${proxy.via(database.url)}?statement_timeout=500ms&connect_timeout=500ms` },
    clock,
    logged,
  )
  const app = new TestApp(composition, clock, logged)
  assert.equal((await app.get('/readyz')).status, 200)

  proxy.delivers = 'nothing'
  const began = performance.now()
  for (const path of ['/readyz', '/username-available?username=ada']) {
    const { status, code, headers } = await app.get(path)
    assert.deepEqual([status, code, headers.get('retry-after')], [503, 'service_unavailable', '5'], path)
  }
  assert.equal(logged.filter(({ level, instance }) => level === 'error' && instance !== undefined).length, 2)
  proxy.delivers = 'all'
  assert.equal((await app.get('/readyz')).status, 200)

  proxy.delivers = 'nothing'
  await composition.close().catch(() => {})
  assert.ok(performance.now() - began < 8_000)
  await proxy.close()
})

describe('TLS', () => {
  test('the server’s certificate must come from the configured authority and name the host, for every sslmode that enables TLS', async () => {
    const [authority, stranger] = [testAuthority(), testAuthority()]
    const server = await startPostgres({ tls: authority.server })
    const named = server.url.replace('127.0.0.1', 'localhost')
    const attempt = async (url: string, query: string) => {
      await using store = open(query, url)
      const rows = await ask(store.migrationDb, 'select ssl from pg_stat_ssl where pid = pg_backend_pid()')
      return rows[0]?.ssl
    }
    const ours = `sslrootcert=${authority.file}`
    assert.equal(await attempt(named, `?sslmode=verify-full&${ours}`), true)
    assert.equal(await attempt(named, `?${ours}`), true)
    assert.equal(await attempt(server.url, `?sslmode=verify-ca&${ours}`), true)
    assert.equal(await attempt(named, '?sslmode=disable'), false)

    const foreign = `sslrootcert=${stranger.file}`
    for (const query of ['?sslmode=require', `?sslmode=verify-full&${foreign}`, `?sslmode=verify-ca&${foreign}`]) {
      assert.match((await failureOf(attempt(named, query))).why, /not signed by a trusted authority/)
    }
    assert.match((await failureOf(attempt(server.url, `?${ours}`))).why, /names another host/)
    assert.match((await failureOf(attempt(database.url, '?sslmode=require'))).why, /does not offer TLS/)
    assert.throws(() => open('?sslmode=verify-ca&sslrootcert=nowhere.pem', named), { code: 'config_invalid' })
    await server.stop()
  })
})

async function goneFrom(store: Store, pid: unknown): Promise<void> {
  while ((await ask(store.migrationDb, `select 1 from pg_stat_activity where pid = ${pid}`)).length > 0) {}
}
