import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forEachDatabase, type TestApp, testApp } from '../../gatelodge/test/support/app.ts'
import { createClientOn } from '../src/client.ts'
import { AuthServiceUnavailable } from '../src/errors.ts'
import type { TokenStorage } from '../src/platform.ts'
import { fetchOf, slowStorage, tab, webLocks } from './support/around.ts'

const refreshPath = '/api/v1/auth/refresh'
const afterAccessToken = 16 * 60_000

function open(app: TestApp, storage: TokenStorage) {
  const network = fetchOf(app)
  const platform = tab({ fetch: network.fetch, now: app.clock.now, locks: webLocks() })
  const client = createClientOn(platform, { session: 'token', storage })
  const events: string[] = []
  for (const event of ['signed-in', 'signed-out', 'refreshed'] as const) client.on(event, () => events.push(event))
  return { client, network, events }
}

async function openSignedIn(app: TestApp, storage: TokenStorage) {
  const opened = open(app, storage)
  const person = await app.user()
  await opened.client.signIn({ email: person.email, password: person.password })
  return { ...opened, person }
}

/** Creates a storage that can be full, or fail entirely. */
function troubledStorage() {
  const storage = slowStorage()
  const state = { full: false, broken: false }
  const check = (isFaulty: boolean) => {
    if (isFaulty) throw new DOMException('no room is left', 'QuotaExceededError')
  }
  return {
    ...storage,
    state,
    get(name: string) {
      check(state.broken)
      return storage.get(name)
    },
    set(name: string, value: string) {
      check(state.full || state.broken)
      return storage.set(name, value)
    },
    remove(name: string) {
      check(state.broken)
      return storage.remove(name)
    },
  }
}

forEachDatabase('storage', (engine) => {
  test('tokens that do not fit into the storage are kept in the tab, and stored once they fit', async () => {
    await using app = await testApp({ engine })
    const storage = troubledStorage()
    const { client, network, events } = await openSignedIn(app, storage)
    storage.state.full = true
    for (let round = 1; round <= 3; round += 1) {
      app.clock.advance(afterAccessToken)
      await Promise.all([client.me(), client.me()])
      assert.equal(network.count(refreshPath), round)
      assert.equal(storage.kept.size, 0, 'a spent token is left to no other tab')
    }
    storage.state.full = false
    app.clock.advance(afterAccessToken)
    await client.me()
    assert.equal(storage.kept.size, 1)
    await open(app, storage).client.me()
    assert.deepEqual(events, ['signed-in', ...Array(4).fill('refreshed')])
  })

  test('a tab that keeps its tokens signs in and out, and yields to a sign-in in another tab', async () => {
    await using app = await testApp({ engine })
    const storage = troubledStorage()
    storage.state.full = true
    const { client, network, person } = await openSignedIn(app, storage)
    assert.equal((await client.me()).id, person.id)
    await client.signOut()
    assert.equal(await client.session(), null)
    assert.equal(network.count('/api/v1/auth/session'), 0, 'without tokens nothing is asked')

    await client.signIn({ email: person.email, password: person.password })
    storage.state.full = false
    const other = await openSignedIn(app, storage)
    assert.equal((await client.me()).id, other.person.id)
    await other.client.signOut()
    assert.equal(await client.session(), null)
  })

  test('a failing storage is reported as an error of this package, and signs no user out', async () => {
    await using app = await testApp({ engine })
    const storage = troubledStorage()
    const { client, network, events } = await openSignedIn(app, storage)
    const calls = network.asked.length
    storage.state.broken = true
    for (const call of [client.me, client.session, client.signOut, () => client.fetch('http://localhost:3000/own')])
      await assert.rejects(call(), AuthServiceUnavailable)
    assert.equal(network.asked.length, calls)
    storage.state.broken = false
    assert.ok(await client.me())
    assert.deepEqual(events, ['signed-in'])
  })
})
