import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { after, before, test } from 'node:test'
import { forEachDatabase, type Person, type TestApp, testApp } from '../../gatelodge/test/support/app.ts'
import { inParallel } from '../../gatelodge/test/support/attack.ts'
import { type Client, createClientOn } from '../src/client.ts'
import { AuthServiceUnavailable, InvalidToken, NotAuthenticated } from '../src/errors.ts'
import type { Locks, TokenStorage } from '../src/platform.ts'
import { fetchOf, type RecordingFetch, slowStorage, tab, webLocks } from './support/around.ts'

const refreshPath = '/api/v1/auth/refresh'
const afterAccessToken = 16 * 60_000

interface Opened {
  readonly client: Client
  readonly network: RecordingFetch
  readonly events: string[]
}

interface SignedIn extends Opened {
  readonly person: Person
}

function open(
  app: TestApp,
  options: { storage?: TokenStorage; locks?: Locks | undefined; now?: () => number } = {},
): Opened {
  const network = fetchOf(app)
  const now = options.now ?? app.clock.now
  const platform = tab({ fetch: network.fetch, now, locks: options.locks })
  const client = createClientOn(platform, { session: 'token', storage: options.storage ?? 'memory' })
  const events: string[] = []
  for (const event of ['signed-in', 'signed-out', 'refreshed', 'user-changed'] as const)
    client.on(event, () => events.push(event))
  return { client, network, events }
}

async function openSignedIn(app: TestApp, options: Parameters<typeof open>[1] = {}): Promise<SignedIn> {
  const opened = open(app, options)
  const person = await app.user()
  await opened.client.signIn({ email: person.email, password: person.password })
  return { ...opened, person }
}

const problem = (status: number, code: string, headers: Record<string, string> = {}) =>
  new Response(JSON.stringify({ type: 'x', title: 'x', status, code, detail: 'x', instance: 'urn:uuid:1' }), {
    status,
    headers: { 'content-type': 'application/problem+json', ...headers },
  })

const troubles: Readonly<Record<string, () => Response>> = {
  'no connection': () => {
    throw new TypeError('fetch failed')
  },
  '503': () => problem(503, 'database_busy', { 'retry-after': '7' }),
  '429': () => problem(429, 'rate_limited', { 'retry-after': '7' }),
  '500': () => problem(500, 'internal', { 'retry-after': '7' }),
  'a proxy that finds no server': () =>
    new Response('<h1>Bad gateway</h1>', { status: 502, headers: { 'retry-after': '7' } }),
  'a proxy that wants a password': () => new Response('Who are you?', { status: 401 }),
  'a portal that says hello': () => new Response('<h1>Hello</h1>'),
  'an answer without tokens': () => Response.json({ access_token: 'x', expires_in: 'soon' }),
}

forEachDatabase('refresh', (engine) => {
  // Shared by all tests: each uses its own users.
  let app: TestApp
  before(async () => {
    app = await testApp({ engine })
  })
  after(() => app[Symbol.asyncDispose]())

  test('fifty calls with an expired token cause one refresh', async () => {
    const { client, network, events } = await openSignedIn(app)
    app.clock.advance(afterAccessToken)
    const users = await inParallel(50, () => client.me())
    assert.equal(new Set(users.map(({ id }) => id)).size, 1)
    assert.equal(network.count(refreshPath), 1)
    assert.equal(network.count('/api/v1/auth/me'), 50)
    assert.deepEqual(events, ['signed-in', 'refreshed'])
  })

  test('fifty calls whose token the server rejects are repeated after one refresh', async () => {
    const stopped = app.clock.now()
    const { client, network } = await openSignedIn(app, { now: () => stopped })
    app.clock.advance(afterAccessToken)
    await inParallel(50, () => client.me())
    assert.equal(network.count(refreshPath), 1)
    assert.equal(network.count('/api/v1/auth/me'), 100)
  })

  test('a token is refreshed before it expires, and not earlier than necessary', async () => {
    const { client, network } = await openSignedIn(app)
    app.clock.advance(14 * 60_000)
    await client.me()
    assert.equal(network.count(refreshPath), 0)
    app.clock.advance(31_000)
    await client.me()
    assert.equal(network.count(refreshPath), 1)
    assert.equal(network.count('/api/v1/auth/me'), 2)
  })

  for (const [kind, locks] of [
    ['Web Locks', webLocks],
    ['leases', () => undefined],
  ] as const) {
    test(`two tabs refresh once for each of a hundred expired tokens and stay signed in (${kind})`, async () => {
      const storage = slowStorage()
      const one = await openSignedIn(app, { storage, locks: locks() })
      const two = open(app, { storage, locks: locks() })
      for (let round = 1; round <= 100; round += 1) {
        app.clock.advance(afterAccessToken)
        await Promise.all([one.client.me(), two.client.me(), two.client.session(), one.client.me()])
        assert.equal(one.network.count(refreshPath) + two.network.count(refreshPath), round)
      }
      assert.ok(!one.events.includes('signed-out') && !two.events.includes('signed-out'))
      assert.equal(storage.kept.size, 1, 'no lease is left behind')
    })
  }

  for (const [name, ends, waits] of [
    ['of a tab that died is taken over once it has ended', 10_000, 400],
    ['that was written before the clock was set back is not waited for', 3_600_000, 1],
  ] as const) {
    test(`a lease ${name}`, async () => {
      const storage = slowStorage()
      const { network } = await openSignedIn(app, { storage })
      const session = JSON.parse(storage.kept.get('gatelodge ') ?? '{}').session_id
      app.clock.advance(afterAccessToken)
      const lease = { owner: 'another tab', until: app.clock.now() + ends }
      storage.kept.set(`gatelodge  ${session} lease`, JSON.stringify(lease))
      let waited = 0
      const platform = tab({
        fetch: network.fetch,
        now: app.clock.now,
        async sleep(ms) {
          waited += 1
          app.clock.advance(ms)
        },
      })
      await createClientOn(platform, { session: 'token', storage }).me()
      assert.ok(waited >= waits && waited <= waits + 2, `${waited} waits`)
      assert.equal(network.count(refreshPath), 1)
    })
  }

  test('a tab that cannot get the lock signs no user out', async () => {
    const storage = slowStorage()
    const { client } = await openSignedIn(app, { storage, locks: webLocks() })
    app.clock.advance(afterAccessToken)
    const busy: Locks = { request: () => Promise.reject(new DOMException('the wait ended', 'TimeoutError')) }
    const waiting = open(app, { storage, locks: busy })
    await assert.rejects(waiting.client.me(), AuthServiceUnavailable)
    const session = JSON.parse(storage.kept.get('gatelodge ') ?? '{}').session_id
    const platform = tab({
      fetch: waiting.network.fetch,
      now: app.clock.now,
      async sleep() {
        app.clock.advance(10_000)
        const lease = { owner: 'a busy tab', until: app.clock.now() + 10_000 }
        storage.kept.set(`gatelodge  ${session} lease`, JSON.stringify(lease))
      },
    })
    await assert.rejects(createClientOn(platform, { session: 'token', storage }).me(), AuthServiceUnavailable)
    assert.equal(waiting.network.count(refreshPath), 0)
    assert.ok(await client.me())
  })

  test('two tabs that refresh simultaneously without a lock both continue: the server returns the same successor', async () => {
    const storage = slowStorage()
    const unlocked: Locks = { request: (_name, _options, task) => task() }
    const one = await openSignedIn(app, { storage, locks: unlocked })
    const two = open(app, { storage, locks: unlocked })
    app.clock.advance(afterAccessToken)
    await Promise.all([one.client.me(), two.client.me()])
    assert.equal(one.network.count(refreshPath) + two.network.count(refreshPath), 2)
    app.clock.advance(afterAccessToken)
    await one.client.me()
    await two.client.me()
    assert.ok(!one.events.includes('signed-out') && !two.events.includes('signed-out'))
  })

  test('a refresh that the server rejects ends the session: tokens are deleted, and listeners are notified once', async () => {
    const storage = slowStorage()
    const { client, network, events, person } = await openSignedIn(app, { storage })
    await endSessionsOf(app, person)
    app.clock.advance(afterAccessToken)
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => client.me()))
    for (const outcome of outcomes)
      assert.ok(outcome.status === 'rejected' && outcome.reason instanceof NotAuthenticated)
    assert.equal(network.count(refreshPath), 1)
    assert.deepEqual(events, ['signed-in', 'signed-out'])
    assert.equal(storage.kept.size, 0)
    assert.equal(await client.session(), null)
    assert.equal(network.count('/api/v1/auth/me'), 0, 'without tokens nothing is asked')
  })

  test('a session that ended before its token expired is noticed on the next call', async () => {
    const { client, events, person } = await openSignedIn(app)
    await endSessionsOf(app, person)
    await assert.rejects(client.me(), InvalidToken)
    assert.deepEqual(events, ['signed-in', 'signed-out'])
    assert.equal(await client.session(), null)
  })

  for (const [name, trouble] of Object.entries(troubles)) {
    test(`a failed refresh signs no user out: ${name}`, async () => {
      const storage = slowStorage()
      const { client, network, events } = await openSignedIn(app, { storage })
      app.clock.advance(afterAccessToken)
      const before = storage.kept.get('gatelodge ')
      network.instead = ({ path }) => (path === refreshPath ? trouble() : undefined)
      const outcomes = await Promise.allSettled([
        client.me(),
        client.session(),
        client.fetch('http://localhost:3000/own'),
      ])
      for (const outcome of outcomes)
        assert.ok(outcome.status === 'rejected' && outcome.reason instanceof AuthServiceUnavailable, name)
      assert.equal(network.count(refreshPath), 1)
      assert.equal(storage.kept.get('gatelodge '), before)

      network.instead = undefined
      assert.ok(await client.me())
      assert.deepEqual(events, ['signed-in', 'refreshed'])
    })
  }

  test('a lost response is requested again and signs no user out', async () => {
    const { client, network, events } = await openSignedIn(app)
    app.clock.advance(afterAccessToken)
    network.instead = async ({ path, request }) => {
      if (path !== refreshPath) return undefined
      await app.composition.fetch(request, { peer: '192.0.2.1' })
      throw new TypeError('fetch failed')
    }
    await assert.rejects(client.me(), AuthServiceUnavailable)
    network.instead = undefined
    app.clock.advance(5_000)
    assert.ok(await client.me())
    app.clock.advance(afterAccessToken)
    assert.ok(await client.me())
    assert.deepEqual(events, ['signed-in', 'refreshed', 'refreshed'])
  })

  test('other errors of a refresh reach the caller, and the tokens are kept', async () => {
    const { client, network } = await openSignedIn(app)
    app.clock.advance(afterAccessToken)
    network.instead = ({ path }) => (path === refreshPath ? problem(403, 'cross_site') : undefined)
    await assert.rejects(client.me(), { code: 'cross_site', status: 403 })
    network.instead = undefined
    assert.ok(await client.me())
  })

  test('a sign-out during a refresh wins: the response brings no user back', async () => {
    const storage = slowStorage()
    const { client, network, events } = await openSignedIn(app, { storage })
    app.clock.advance(afterAccessToken)
    const [answered, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    network.instead = async ({ path, request }) => {
      if (path !== refreshPath) return undefined
      const response = await app.composition.fetch(request, { peer: '192.0.2.1' })
      answered.resolve()
      await gate.promise
      return response
    }
    const call = client.me()
    await answered.promise
    await client.signOut()
    gate.resolve()
    await assert.rejects(call, NotAuthenticated)
    assert.deepEqual(
      [...storage.kept.keys()].filter((name) => !name.endsWith('lease')),
      [],
    )
    assert.deepEqual(events, ['signed-in', 'signed-out'])
  })

  test('a sign-in does not depend on tokens stored before', async () => {
    const { client, network, person, events } = await openSignedIn(app)
    app.clock.advance(afterAccessToken)
    network.instead = ({ path }) => (path === refreshPath ? problem(503, 'database_busy') : undefined)
    await client.signIn({ email: person.email, password: person.password })
    assert.ok(await client.me())
    assert.deepEqual(events, ['signed-in', 'signed-in'], 'the same person again is a sign-in too')
  })

  test('a caller that aborts leaves the refresh to the others', async () => {
    const { client, network } = await openSignedIn(app)
    app.clock.advance(afterAccessToken)
    const [started, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    network.instead = async ({ path }) => {
      if (path !== refreshPath) return undefined
      started.resolve()
      await gate.promise
      return undefined
    }
    const impatient = new AbortController()
    const givenUp = client.call('GET /api/v1/auth/me', { signal: impatient.signal })
    const patient = client.me()
    await started.promise
    impatient.abort(new Error('enough'))
    await assert.rejects(givenUp, /enough/)
    await assert.rejects(
      client.call('GET /api/v1/auth/me', { signal: AbortSignal.abort(new Error('before')) }),
      /before/,
    )
    gate.resolve()
    assert.ok(await patient)
    assert.equal(network.count(refreshPath), 1)
  })

  test('with a corrupted storage no user is signed in', async () => {
    const storage = slowStorage()
    const { client, network } = await openSignedIn(app, { storage })
    const good = JSON.parse(storage.kept.get('gatelodge ') ?? '')
    for (const kept of ['', '{', 'null', '[]', '{}', JSON.stringify({ ...good, refresh_at: 'x' })]) {
      storage.kept.set('gatelodge ', kept)
      assert.equal(await client.session(), null, kept)
    }
    // A text that the server does not accept as a refresh token ends the session too: a refresh could never succeed.
    storage.kept.set('gatelodge ', JSON.stringify({ ...good, refresh_token: 'x'.repeat(5_000), refresh_at: 0 }))
    assert.equal(await client.session(), null)
    assert.equal(storage.kept.size, 0)
    assert.equal(network.count('/api/v1/auth/session'), 0)
  })

  test('a reauthentication replaces the tokens and is not reported as a sign-in', async () => {
    const { client, events, person } = await openSignedIn(app)
    await client.call('POST /api/v1/auth/reauthenticate', { body: { password: person.password } })
    assert.ok(await client.me())
    assert.deepEqual(events, ['signed-in', 'refreshed'])
  })

  test('a call leaves no listener on the signal of its caller', async () => {
    const { client, network } = await openSignedIn(app)
    const { signal } = new AbortController()
    for (let round = 1; round <= 3; round += 1) {
      app.clock.advance(afterAccessToken)
      await client.call('GET /api/v1/auth/me', { signal })
      assert.equal(network.count(refreshPath), round)
      assert.equal(getEventListeners(signal, 'abort').length, 0)
    }
  })
})

/** Signs in elsewhere and ends all other sessions. */
async function endSessionsOf(app: TestApp, person: Person): Promise<void> {
  await app.delete('/me/sessions', { cookie: await app.cookie(person) })
}
