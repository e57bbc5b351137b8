import assert from 'node:assert/strict'
import { test } from 'node:test'
import pg from 'pg'
import { createAdministrator } from '../src/admin/users/create-user.ts'
import { setActive } from '../src/admin/users/set-active.ts'
import { storeLastSeen } from '../src/jobs/last-seen.ts'
import { systemActor } from '../src/kernel/actor.ts'
import { day } from '../src/kernel/clock.ts'
import { composeTest, TestApp } from './support/app.ts'
import { inParallel, tally } from './support/attack.ts'
import { type LogLine, type TestClock, testClock } from './support/deps.ts'
import { directUrlOf, freshPostgresDatabase } from './support/postgres.ts'
import { tcpProxy } from './support/tcp-proxy.ts'
import { until } from './support/until.ts'

const actor = systemActor('command', 'test')
/** How soon another process must know, in ms. On a quiet machine, acceptance/two-servers.test.ts requires 100. */
const soon = 500

test('a session revoked in one process is rejected by the other immediately, even from memory', async () => {
  await using pair = await processes()
  const { one, other } = pair
  const ada = await one.user()
  for (let round = 0; round < 20; round += 1) {
    const cookie = await one.cookie(ada)
    const { access, session } = await one.tokens(ada)
    await Promise.all([remembers(other, { cookie }), remembers(other, { bearer: access })])

    assert.equal((await one.delete(`/me/sessions/${session}`, { cookie })).status, 204)
    await refusedSoon(other, { bearer: access })
    assert.equal((await one.post('/signout', {}, { cookie })).status, 200)
    await refusedSoon(other, { cookie })
  }
})

test('processes that start together on an empty database sign with one key, which all of them know', async () => {
  await using closing = new AsyncDisposableStack()
  const database = await freshPostgresDatabase()
  closing.defer(database.release)
  const clock = testClock()
  const apps = await Promise.all(Array.from({ length: 4 }, () => listening(database.url, clock, {})))
  for (const app of apps) closing.use(app)
  const [first] = apps
  assert.ok(first)
  assert.equal((await first.rows('signing_keys')).length, 1)
  const { access } = await first.tokens(await first.user())
  for (const app of apps) assert.equal((await app.get('/session', { bearer: access })).status, 200)
})

test('a password reset in one process ends sessions and refresh tokens in the other', async () => {
  await using pair = await processes()
  const { one, other } = pair
  const ada = await one.user()
  const { access, refresh } = await other.tokens(ada)
  await remembers(other, { bearer: access })

  await one.post('/forgot-password', { email: ada.email })
  const { token } = await one.lastMail(ada.email)
  assert.equal((await one.post('/reset-password', { token, new_password: 'another harbour 53' })).status, 200)
  await refusedSoon(other, { bearer: access })
  assert.equal((await other.post('/refresh', { refresh_token: refresh })).status, 401)
})

test('the other process rejects a deactivated account, and sees a new role and a new name', async () => {
  await using pair = await processes()
  const { one, other } = pair
  const ada = await one.user()
  const cookie = await other.cookie(ada)
  await remembers(other, { cookie })

  await createAdministrator(one.deps, actor, { email: ada.email })
  const user = async () => (await other.get('/session', { cookie })).json.user
  await until(async () => (await user()).roles.includes('administrator'), soon)
  await remembers(other, { cookie })
  assert.equal((await one.patch('/me', { first_name: 'Augusta' }, { cookie })).status, 200)
  await until(async () => (await user()).first_name === 'Augusta', soon)

  await createAdministrator(one.deps, actor, { email: 'eve@example.com', password: 'quiet harbour 52' })
  await remembers(other, { cookie })
  await setActive(one.deps, actor, { who: ada.email, active: false })
  await refusedSoon(other, { cookie })
})

test('a session that is revoked elsewhere while it is being read is not cached', async () => {
  await using pair = await processes()
  const { one, other, url } = pair
  const cookie = await one.cookie(await one.user())
  await remembers(one, { cookie })

  const blocker = new pg.Client({ connectionString: url })
  await blocker.connect()
  await blocker.query('begin; lock table profiles in access exclusive mode') // the last table that a session check reads
  const reading = other.get('/session', { cookie })
  const isBlocked = "select 1 from pg_locks where relation = 'profiles'::regclass and not granted"
  await until(async () => (await blocker.query(isBlocked)).rows.length > 0)
  const { generation } = other.deps.invalidations
  assert.equal((await one.post('/signout', {}, { cookie })).status, 200)
  await until(() => other.deps.invalidations.generation > generation)
  await blocker.query('rollback')
  await blocker.end()

  assert.equal((await reading).status, 200, 'what was read before the sign-out answers the request of before')
  assert.equal(other.deps.sessionCache.figures().trusted, true)
  assert.equal((await other.get('/session', { cookie })).status, 401)
})

test('fifty parallel uses of one link, split over two processes, have one success', async () => {
  await using pair = await processes({ GATELODGE_RATE_LIMITS: 'off' })
  const apps = [pair.one, pair.other]
  const ada = await pair.one.user()
  await pair.one.post('/forgot-password', { email: ada.email })
  const { token } = await pair.one.lastMail(ada.email)
  const told = await inParallel(50, (index) => {
    const app = apps[index % 2] ?? pair.one
    return app.post('/reset-password', { token, new_password: `another harbour ${index}` })
  })
  assert.deepEqual(tally(told.map(({ status, code }) => code ?? status)), { 200: 1, token_invalid: 49 })
})

test('a budget and a growing delay that are used up in one process are used up in the other', async () => {
  await using pair = await processes()
  const { one, other } = pair
  const guess = (app: TestApp, index: number, ip: string) =>
    app.post('/signin', { email: `nobody${index}@example.com`, password: 'wrong' }, { ip })
  for (let index = 0; index < 30; index += 1) {
    assert.equal((await guess(index % 2 ? one : other, index, '203.0.113.9')).status, 401)
  }
  assert.equal((await guess(one, 30, '203.0.113.9')).status, 429)
  assert.equal((await guess(other, 31, '203.0.113.9')).status, 429)

  const locked = (app: TestApp, index: number) => guess(app, 99, `203.0.113.${20 + index}`)
  for (let index = 0; index < 11; index += 1) await locked(one, index)
  assert.equal((await locked(other, 12)).status, 429)
})

test('a session used in one process is not called idle by another that remembers an older use', async () => {
  await using pair = await processes()
  const { one, other, clock } = pair
  const cookie = await one.cookie(await one.user())
  await remembers(one, { cookie })
  clock.advance(6 * day)
  assert.equal((await other.get('/session', { cookie })).status, 200)
  await storeLastSeen(other.deps)

  clock.advance(2 * day)
  assert.equal((await one.get('/session', { cookie })).status, 200)
  await storeLastSeen(one.deps)
  clock.advance(7 * day)
  await refusedSoon(one, { cookie })
  await refusedSoon(other, { cookie })
})

test('a mail that one process asks for wakes the delivery of another', async () => {
  await using pair = await processes({ GATELODGE_RATE_LIMITS: 'off' })
  const { one, other } = pair
  other.composition.startJobs()
  const began = performance.now()
  for (let round = 1; round <= 5; round += 1) {
    await one.post('/signup', {
      email: `ada${round}@example.com`,
      password: 'quiet harbour 52',
      username: `ada${round}`,
    })
    await until(() => other.deps.mailbox?.entries().length === round)
  }
  assert.ok(performance.now() - began < 2_500, 'looking once a second takes twice as long')
})

test('behind a connection that accepts LISTEN and never delivers, memory is unused and a revocation counts immediately', async () => {
  await using pair = await processes({}, 'until-listening')
  const { one, other } = pair
  const ada = await one.user()
  for (let round = 0; round < 20; round += 1) {
    const cookie = await one.cookie(ada)
    for (let check = 0; check < 3; check += 1) assert.equal((await other.get('/session', { cookie })).status, 200)
    await one.post('/signout', {}, { cookie })
    assert.equal((await other.get('/session', { cookie })).status, 401)
  }
  const { hits, trusted } = other.deps.sessionCache.figures()
  assert.deepEqual({ hits, trusted }, { hits: 0, trusted: false })
})

test('a listener that stalls after it worked lets a revoked session live for a second at most', async () => {
  await using pair = await processes({}, 'all')
  const { one, other, proxy } = pair
  const cookie = await one.cookie(await one.user())
  await remembers(other, { cookie })

  proxy.delivers = 'nothing'
  const stalled = performance.now()
  await one.post('/signout', {}, { cookie })
  await until(async () => (await other.get('/session', { cookie })).status === 401, 1_000 + soon)
  assert.ok(performance.now() - stalled < 1_000 + soon)
  assert.equal(other.deps.sessionCache.figures().trusted, false)
})

test('while a disconnected listener reconnects, no stale answer is given', async () => {
  await using pair = await processes({}, 'all')
  const { one, other, url } = pair
  const ada = await one.user()
  for (let round = 0; round < 10; round += 1) {
    const [early, late] = [await one.cookie(ada), await one.cookie(ada)]
    await Promise.all([remembers(other, { cookie: early }), remembers(other, { cookie: late })])
    await command(url, cutListeners)
    await one.post('/signout', {}, { cookie: early })
    await refusedSoon(other, { cookie: early })

    await until(() => other.deps.sessionCache.figures().trusted)
    await one.post('/signout', {}, { cookie: late })
    await refusedSoon(other, { cookie: late })
  }
})

const cutListeners = `select pg_terminate_backend(pid) from pg_stat_activity
  where application_name = 'gatelodge-listener' and datname = current_database()`

/** Starts two processes of the program on one database, both listening, the second through a proxy that can fall silent. */
async function processes(env: Readonly<Record<string, string>> = {}, delivers: 'all' | 'until-listening' = 'all') {
  const database = await freshPostgresDatabase()
  const direct = directUrlOf(database.url) ?? database.url
  const proxy = await tcpProxy(direct)
  proxy.delivers = delivers
  const clock = testClock()
  const one = await listening(database.url, clock, env)
  const other = await listening(database.url, clock, { ...env, GATELODGE_DATABASE_DIRECT: proxy.via(direct) })
  await until(() => one.deps.sessionCache.figures().trusted)
  if (delivers === 'all') await until(() => other.deps.sessionCache.figures().trusted)

  return {
    one,
    other,
    clock,
    proxy,
    url: database.url,
    async [Symbol.asyncDispose]() {
      await one.composition.close()
      await other.composition.close()
      await proxy.close()
      await database.release()
    },
  }
}

async function listening(database: string, clock: TestClock, env: Readonly<Record<string, string>>): Promise<TestApp> {
  const logged: LogLine[] = []
  const composition = await composeTest({ database, env }, clock, logged)
  composition.deps.store.listen(composition.deps.log)
  return new TestApp(composition, clock, logged)
}

type Credential = { readonly cookie: string } | { readonly bearer: string }

/** Waits until a process answers for a session from its memory. */
async function remembers(app: TestApp, credential: Credential): Promise<void> {
  const { sessionCache } = app.deps
  await until(async () => {
    const before = sessionCache.figures().hits
    assert.equal((await app.get('/session', credential)).status, 200)
    return sessionCache.figures().hits > before
  })
}

async function refusedSoon(app: TestApp, credential: Credential): Promise<void> {
  await until(async () => (await app.get('/session', credential)).status === 401, soon)
}

async function command(url: string, text: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(text)
  await client.end()
}
