import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { sql } from 'kysely'
import pg from 'pg'
import { composeTest, type Engine, forEachDatabase, TestApp } from '../../../test/support/app.ts'
import { inParallel, tally, turn } from '../../../test/support/attack.ts'
import { freshDatabase } from '../../../test/support/databases.ts'
import { testClock } from '../../../test/support/deps.ts'
import { until } from '../../../test/support/until.ts'
import { shareProof } from './write-proof.ts'

forEachDatabase('readiness', (engine) => {
  test('a database that only reads is not ready, and is ready again when it takes writes', async () => {
    await using house = await houseOn(engine)
    const { app } = house
    const ada = await app.user()
    await becomesReady(app)

    await house.readOnly(true)
    app.clock.advance(1_000)
    const told = await app.get('/readyz')
    assert.equal(told.status, 503)
    assert.match(told.json.detail, saysWhy)
    assert.equal((await app.post('/signin', { email: ada.email, password: ada.password })).status, 503)
    assert.equal((await app.get('/healthz')).status, 200)

    await house.readOnly(false)
    await becomesReady(app)
    assert.equal((await app.post('/signin', { email: ada.email, password: ada.password })).status, 200)
  })

  test('while a write is blocked, all callers are answered in time, and reads continue', async () => {
    await using house = await houseOn(engine)
    const { app } = house
    const { access } = await app.tokens(await app.user())
    const release = await house.holdWrites()
    const began = performance.now()
    const told = await inParallel(100, () => app.get('/readyz'))
    assert.deepEqual(tally(told.map(({ status }) => status)), { 503: 100 })
    for (const { json } of told) assert.match(json.detail, saysWhy)
    assert.ok(performance.now() - began < 30_000)
    assert.equal((await app.get('/session', { bearer: access })).status, 200)
    await release()
  })

  test('a proof of a write leaves no row, notifies no other process and makes none read again', async () => {
    await using house = await houseOn(engine)
    const { app } = house
    const { access } = await app.tokens(await app.user())
    const before = [await app.rows('jobs'), await app.rows('users'), await app.rows('events')]
    await app.get('/session', { bearer: access })
    await turn()
    const { generation } = app.deps.invalidations
    await using watch = await house.watch()
    await becomesReady(app) // the first write after a checkpoint starts a new SQLite log
    const seen = await watch.seen()

    for (let round = 0; round < 30; round += 1) await becomesReady(app)
    assert.deepEqual(await watch.seen(), seen)
    assert.equal(app.deps.invalidations.generation, generation)
    assert.deepEqual([await app.rows('jobs'), await app.rows('users'), await app.rows('events')], before)
  })
})

test('all callers within a second share one proof, even one under way, and a clock that is set back expires it', async () => {
  const clock = testClock()
  const attempts: PromiseWithResolvers<void>[] = []
  const ask = shareProof(() => {
    const attempt = Promise.withResolvers<void>()
    attempts.push(attempt)
    return attempt.promise
  }, clock)

  const asked = [ask(), ask()]
  clock.advance(5_000)
  asked.push(ask())
  attempts[0]?.resolve()
  await Promise.all(asked)
  clock.advance(999)
  await ask()
  assert.equal(attempts.length, 1)

  clock.advance(1)
  const failed = [ask(), ask()]
  attempts[1]?.reject(new Error('read-only'))
  for (const one of failed) await assert.rejects(one, /read-only/)
  await assert.rejects(ask(), /read-only/)
  assert.equal(attempts.length, 2)

  clock.advance(-1)
  void ask()
  assert.equal(attempts.length, 3)
})

/** The expected reasons. On a machine busy with other tests, a read may also be late. */
const saysWhy = /^The database (?:cannot be written|does not answer)$/

async function becomesReady(app: TestApp): Promise<void> {
  await until(async () => {
    app.clock.advance(1_000)
    return (await app.get('/readyz')).status === 200
  })
}

interface House extends AsyncDisposable {
  readonly app: TestApp
  readOnly(on: boolean): Promise<void>
  /** Blocks every write until the returned function is called. */
  holdWrites(): Promise<() => Promise<void>>
  /** Watches what another process sees of our changes. */
  watch(): Promise<AsyncDisposable & { seen(): Promise<unknown> }>
}

/** Starts the program over a database that can be made read-only from outside. */
async function houseOn(engine: Engine): Promise<House> {
  const database = await freshDatabase(engine)
  const clock = testClock()
  const app = new TestApp(await composeTest({ database: database.location }, clock, []), clock, [])
  const dispose = async () => {
    await app[Symbol.asyncDispose]()
    await database.release()
  }
  return engine === 'sqlite'
    ? sqliteHouse(app, database.location.slice('sqlite:'.length), dispose)
    : postgresHouse(app, database.location, dispose)
}

function sqliteHouse(app: TestApp, file: string, dispose: () => Promise<void>): House {
  return {
    app,
    async readOnly(on) {
      await sql`pragma query_only = ${sql.lit(on ? 1 : 0)}`.execute(app.deps.store.migrationDb)
    },
    async holdWrites() {
      const other = new DatabaseSync(file)
      other.exec('begin immediate')
      return async () => other.close()
    },
    async watch() {
      const other = new DatabaseSync(file)
      const version = other.prepare('pragma data_version')
      return {
        seen: async () => [version.get()?.data_version, statSync(`${file}-wal`).size, statSync(file).size],
        async [Symbol.asyncDispose]() {
          other.close()
        },
      }
    },
    [Symbol.asyncDispose]: dispose,
  }
}

async function postgresHouse(app: TestApp, url: string, dispose: () => Promise<void>): Promise<House> {
  const connect = async () => {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    return client
  }
  const client = await connect()
  const name = new URL(url).pathname.slice(1)
  await client.query('set default_transaction_read_only = off')
  const others = `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${name}' and pid <> pg_backend_pid()`
  const readOnly = async (on: boolean) => {
    await client.query(`alter database ${name} ${on ? 'set default_transaction_read_only = on' : 'reset all'}`)
    await client.query(others) // the setting applies to later connections
    await until(() => app.deps.store.pool()?.open === 0)
  }
  return {
    app,
    readOnly,
    async holdWrites() {
      await client.query('begin; lock table users in share mode')
      return async () => void (await client.query('rollback'))
    },
    async watch() {
      const listener = await connect()
      const heard: unknown[] = []
      listener.on('notification', (notice) => heard.push(notice))
      await listener.query('listen gatelodge')
      return {
        async seen() {
          await listener.query('select 1') // earlier notifications arrive before the answer
          return [...heard]
        },
        [Symbol.asyncDispose]: () => listener.end(),
      }
    },
    async [Symbol.asyncDispose]() {
      await client.query(`alter database ${name} reset all`)
      await client.end()
      await dispose()
    },
  }
}
