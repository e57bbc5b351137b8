import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { type CompiledQuery, type KyselyPlugin, sql } from 'kysely'
import { composeTest, forEachDatabase, type TestApp, testApp } from '../../test/support/app.ts'
import { freshDatabase } from '../../test/support/databases.ts'
import { recordingLog, testClock } from '../../test/support/deps.ts'
import { duringUnit } from '../../test/support/races.ts'
import type { Composition } from '../compose.ts'
import { record, strangersEvents } from '../domain/audit.ts'
import type { Deps } from '../domain/deps.ts'
import { systemActor } from '../kernel/actor.ts'
import { day, hour, minute } from '../kernel/clock.ts'
import type { Store, WriteDb } from '../store/store.ts'
import { transact } from '../store/unit-of-work.ts'
import { cleanUp } from './clean-up.ts'
import { repeat } from './repeat.ts'

const tables = [
  'one_time_tokens',
  'pending_signups',
  'usernames',
  'sessions',
  'refresh_tokens',
  'limit_counters',
  'mails',
  'known_devices',
  'events',
] as const

async function sizes(app: TestApp) {
  return Object.fromEntries(
    await Promise.all(tables.map(async (table) => [table, (await app.rows(table)).length] as const)),
  )
}

forEachDatabase('clean-up', (engine) => {
  test('expired rows are deleted, and valid rows are kept', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const cookie = await app.cookie(ada)
    const { refresh } = await app.tokens(ada)
    await app.post('/refresh', { refresh_token: refresh })
    await app.post('/signin', { email: ada.email, password: 'wrong harbour' })
    await app.post('/signup', { email: 'late@example.com', password: 'quiet harbour 52', username: 'late' })
    await app.mails(ada.email)

    assert.equal(await cleanUp(app.deps), 0)
    app.clock.advance(131_000)
    await cleanUp(app.deps)
    assert.deepEqual(
      (await app.rows('refresh_tokens')).map(({ spent_at }) => spent_at),
      [null],
    )

    app.clock.advance(25 * hour)
    await cleanUp(app.deps)
    assert.deepEqual(await sizes(app), {
      ...(await sizes(app)),
      one_time_tokens: 0,
      pending_signups: 0,
      usernames: 1,
      limit_counters: 1, // the consecutive failures of one password
      sessions: 2,
    })
    assert.equal((await app.get('/session', { cookie })).status, 200)

    app.clock.advance(8 * day)
    await cleanUp(app.deps)
    assert.deepEqual(await sizes(app), {
      ...(await sizes(app)),
      sessions: 0,
      refresh_tokens: 0,
      mails: 0,
      known_devices: 1,
    })
    app.clock.advance(366 * day)
    await cleanUp(app.deps)
    assert.deepEqual(await sizes(app), {
      ...(await sizes(app)),
      known_devices: 0,
      events: 0,
      usernames: 1,
      limit_counters: 0,
    })
  })

  test('reuse of a refresh token whose row was deleted still ends the session, and a forged token does not', async () => {
    await using app = await testApp({ engine, env: { GATELODGE_RATE_LIMITS: 'off' } })
    const { refresh: stolen } = await app.tokens(await app.user())
    let { refresh, access } = { refresh: stolen, access: '' }
    for (let hours = 0; hours < 20 * 24; hours += 24) {
      const { json } = await app.post('/refresh', { refresh_token: refresh })
      refresh = json.refresh_token
      access = json.access_token
      app.clock.advance(day)
      await cleanUp(app.deps)
      assert.ok((await app.rows('refresh_tokens')).length <= 1)
    }
    ;({
      json: { refresh_token: refresh, access_token: access },
    } = await app.post('/refresh', { refresh_token: refresh }))

    const changed = stolen.slice(0, -1) + (stolen.endsWith('A') ? 'B' : 'A')
    assert.equal((await app.post('/refresh', { refresh_token: changed })).code, 'token_invalid')
    assert.equal((await app.get('/session', { bearer: access })).status, 200)
    assert.equal((await app.post('/refresh', { refresh_token: stolen })).code, 'token_invalid')
    assert.equal((await app.get('/session', { bearer: access })).status, 401)
    assert.equal((await app.post('/refresh', { refresh_token: refresh })).code, 'token_invalid')
    assert.equal((await app.events()).filter((name) => name === 'refresh.reused').length, 1)
  })

  test('a session in use is deleted at its absolute expiry', async () => {
    await using app = await testApp({ engine, env: { GATELODGE_SESSION_ABSOLUTE: '2d' } })
    const cookie = await app.cookie(await app.user())
    app.clock.advance(day)
    assert.equal((await app.get('/session', { cookie })).status, 200)
    app.clock.advance(day)
    await cleanUp(app.deps)
    assert.deepEqual(await app.rows('sessions'), [])
  })

  test('a revoked token is kept until it has expired by the slowest clock', async () => {
    await using app = await testApp({ engine })
    const { headers } = await app.client()
    const { json } = await app.form('/oauth2/token', { grant_type: 'client_credentials' }, { headers })
    await app.form('/oauth2/revoke', { token: json.access_token }, { headers })
    for (const [wait, left] of [
      [15 * minute, 1],
      [2 * minute, 0],
    ] as const) {
      app.clock.advance(wait)
      await cleanUp(app.deps)
      assert.equal((await app.rows('revoked_tokens')).length, left)
    }
  })

  test('audit events are deleted after the configured time', async () => {
    await using app = await testApp({ engine, env: { GATELODGE_EVENT_RETENTION: '3d' } })
    await app.user()
    app.clock.advance(3 * day - 1)
    await cleanUp(app.deps)
    assert.ok((await app.rows('events')).length > 0)
    app.clock.advance(1)
    await cleanUp(app.deps)
    assert.deepEqual(await app.rows('events'), [])
  })

  test('rows are deleted in batches with pauses: a sign-in gets its turn, and a stop ends the run early', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    await addCounters(app, 10_000)
    const stopping = new AbortController()
    let finished = false
    const running = cleanUp(app.deps, stopping.signal).finally(() => {
      finished = true
    })
    while ((await app.rows('limit_counters')).length === 10_000) await nextTurn()
    await app.tokens(ada)
    assert.equal(finished, false)
    stopping.abort()

    const removed = await running
    assert.ok(removed > 0 && removed < 10_000, `${removed} removed`)
    assert.equal(removed % 500, 0)
    assert.equal(await cleanUp(app.deps), 10_000 - removed)
    assert.equal(await cleanUp(app.deps, stopping.signal), 0)
  })

  test('several processes can clean up simultaneously: each row is deleted once, and none fails', async () => {
    const database = await freshDatabase(engine)
    const clock = testClock()
    const processes = await Promise.all([1, 2, 3].map(() => composeTest({ database: database.location }, clock, [])))
    const [first] = processes as [Composition]
    await addCounters({ deps: first.deps }, 4_000)
    const counted = async () => {
      let removed = 0
      for (const round of await Promise.all(processes.map(({ deps }) => cleanUp(deps)))) removed += round
      return removed
    }
    let removed = 0
    for (let last = -1; last !== 0; removed += last) last = await counted()
    assert.equal(removed, 4_000)
    for (const { close } of processes) await close()
    await database.release()
  })

  test('a row that is extended while clean-up waits for it is kept', async () => {
    await using app = await testApp({ engine })
    await addCounters(app, 500)
    const renew = (db: WriteDb) =>
      db.updateTable('limit_counters').set({ expires_at: Number.MAX_SAFE_INTEGER }).where('key', '=', 'k7').execute()
    await duringUnit(app.deps.store, renew, () => cleanUp(app.deps))
    assert.deepEqual(
      (await app.rows('limit_counters')).map(({ key }) => key),
      ['k7'],
    )
  })

  test('every statement finds its rows by an index', async () => {
    await using app = await testApp({ engine })
    const { store } = app.deps
    const queries: CompiledQuery[] = []
    const noting: KyselyPlugin = {
      transformQuery({ node, queryId }) {
        queries.push(store.migrationDb.getExecutor().compileQuery(node, queryId))
        return node
      },
      transformResult: async ({ result }) => result,
    }
    const transaction: Store['transaction'] = (work) => store.transaction((db) => work(db.withPlugin(noting)))
    await cleanUp({ ...app.deps, store: { ...store, transaction } })
    assert.ok(queries.length >= 12)
    for (const query of queries) {
      const plan = await planOf(store, query)
      for (const step of plan)
        assert.doesNotMatch(step, /Seq Scan|^SCAN (?!.*INDEX)|TEMP B-TREE/, `${query.sql}\n${step}`)
      if (query.sql.includes('coalesce(')) assert.match(plan.join('\n'), /events_strangers/)
    }
  })

  test('events that strangers cause without an account are deleted after a week, for every event name', async () => {
    await using app = await testApp({ engine })
    await transact(app.deps, systemActor('job', 'test'), async (work) => {
      for (const name of strangersEvents) await record(work, name, null, {} as never)
      await record(work, 'mail.failed', null, { kind: 'welcome' })
    })
    app.clock.advance(7 * day - 1)
    await cleanUp(app.deps)
    assert.equal((await app.rows('events')).length, strangersEvents.length + 2)
    app.clock.advance(1)
    await cleanUp(app.deps)
    assert.deepEqual((await app.rows('events')).map(({ name }) => name).sort(), ['key.created', 'mail.failed'])
  })

  test('a session in use is kept although its last use is not stored yet', async () => {
    await using app = await testApp({ engine, env: { GATELODGE_SESSION_IDLE: '10s' } })
    const cookie = await app.cookie(await app.user())
    for (let seconds = 0; seconds < 55; seconds += 5) {
      app.clock.advance(5_000)
      assert.equal((await app.get('/session', { cookie })).status, 200)
      await cleanUp(app.deps)
      assert.equal((await app.rows('sessions')).length, 1)
    }
  })
})

async function planOf(store: Store, query: CompiledQuery): Promise<string[]> {
  return store.transaction(async (db) => {
    if (store.engine === 'sqlite') {
      const { rows } = await db.executeQuery<{ detail: string }>({ ...query, sql: `explain query plan ${query.sql}` })
      return rows.map(({ detail }) => detail)
    }
    // PostgreSQL scans an empty table sequentially, whatever indexes it has.
    await sql`set local enable_seqscan = off`.execute(db)
    const { rows } = await db.executeQuery<Record<string, string>>({ ...query, sql: `explain ${query.sql}` })
    return rows.map((row) => row['QUERY PLAN'] ?? '')
  })
}

async function addCounters({ deps }: { deps: Deps }, rows: number): Promise<void> {
  await transact(deps, systemActor('job', 'test'), async (work) => {
    for (let index = 0; index < rows; index += 500) {
      const batch = Array.from({ length: 500 }, (_, at) => ({ key: `k${index + at}`, count: 1, since: 1 }))
      const values = batch.map((counter) => ({ ...counter, blocked_until: 1, expires_at: 1 }))
      await work.db.insertInto('limit_counters').values(values).execute()
    }
  })
}

test('a repeated job continues after a failure and stops on request', async () => {
  const logged: Parameters<typeof recordingLog>[0] = []
  const { promise, resolve } = Promise.withResolvers<void>()
  let runs = 0
  const job = repeat(recordingLog(logged), 'test', 1, async () => {
    runs += 1
    if (runs === 1) throw new Error('once')
    resolve()
  })
  job.start()
  const keepAlive = setInterval(() => {}, 1_000)
  await promise
  await job.stop()
  clearInterval(keepAlive)
  assert.equal(logged[0]?.job, 'test')
})
