import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forEachDatabase, type TestApp, testApp } from '../../test/support/app.ts'
import { recordingLog } from '../../test/support/deps.ts'
import { innerActor } from '../kernel/actor.ts'
import { day, hour } from '../kernel/clock.ts'
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
  test('what has expired goes, and what lives stays', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const cookie = await app.cookie(ada)
    const { refresh } = await app.tokens(ada)
    await app.post('/refresh', { refresh_token: refresh })
    await app.post('/signin', { email: ada.email, password: 'wrong harbour' })
    await app.post('/signup', { email: 'late@example.com', password: 'quiet harbour 52', username: 'late' })
    await app.mails(ada.email)

    assert.equal(await cleanUp(app.deps), 0)
    app.clock.advance(11_000)
    assert.equal(await cleanUp(app.deps), 1)
    assert.equal(
      (await app.rows('refresh_tokens')).every((row) => row.successor_sealed === null),
      true,
    )

    app.clock.advance(25 * hour)
    await cleanUp(app.deps)
    assert.deepEqual(await sizes(app), {
      ...(await sizes(app)),
      one_time_tokens: 0,
      pending_signups: 0,
      usernames: 1,
      limit_counters: 1, // the failures in a row of one password
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

  test('more rows than one batch go in one run', async () => {
    await using app = await testApp({ engine })
    await transact(app.deps, innerActor('job', 'test'), async (work) => {
      for (let index = 0; index < 1_200; index += 1) {
        await work.db
          .insertInto('limit_counters')
          .values({ key: `k${index}`, count: 1, since: 1, blocked_until: 1, expires_at: 1 })
          .execute()
      }
    })
    assert.equal(await cleanUp(app.deps), 1_200)
  })
})

test('a repeated job goes on after a failure and stops when it is told', async () => {
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
