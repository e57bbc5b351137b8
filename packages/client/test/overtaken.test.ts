import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { forEachDatabase, type Person, type TestApp, testApp } from '../../gatelodge/test/support/app.ts'
import { type Client, createClientOn } from '../src/client.ts'
import { AuthError, InvalidToken, NotAuthenticated } from '../src/errors.ts'
import type { Channel, TokenStorage } from '../src/platform.ts'
import type { SessionEvent } from '../src/presence.ts'
import { browserOf, fetchOf, type RecordingFetch, slowStorage, tab, webLocks } from './support/around.ts'

// Responses that arrive after a user signed in or out, in this tab or another.

const auth = '/api/v1/auth'
const api = 'https://api.example.com'

interface Opened {
  readonly client: Client
  readonly network: RecordingFetch
  readonly events: string[]
  /** Receives a message from another tab. */
  hear(data: unknown): void
}

function open(app: TestApp, session: 'cookie' | 'token', storage: TokenStorage = slowStorage()): Opened {
  const network = session === 'cookie' ? browserOf(app) : fetchOf(app)
  const heard: ((message: { data: unknown }) => void)[] = []
  const channel: Channel = {
    addEventListener: (_type, listener) => void heard.push(listener),
    postMessage() {},
    close() {},
  }
  const platform = tab({
    fetch: network.fetch,
    now: app.clock.now,
    locks: webLocks(),
    openChannel: () => channel,
  })
  const client = createClientOn(platform, { session, storage, origins: [api] })
  const events: string[] = []
  client.on('signed-in', ({ email }) => events.push(`signed-in ${email}`))
  client.on('signed-out', () => events.push('signed-out'))
  client.on('user-changed', ({ first_name }) => events.push(`user-changed ${first_name}`))
  return { client, network, events, hear: (data) => heard.forEach((listener) => void listener({ data })) }
}

const next = (client: Client, event: SessionEvent) => new Promise((resolve) => client.on(event, resolve))
const signIn = (client: Client, { email, password }: Person) => client.signIn({ email, password })

/** Holds back the response for a path: `made` resolves when the server has created it, and `release` delivers it. */
function holdBack(app: TestApp, network: RecordingFetch, held: string) {
  const [made, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  network.instead = async ({ path, request }) => {
    if (path !== held) return undefined
    network.instead = undefined
    const response = await app.composition.fetch(request, { peer: '192.0.2.1' })
    made.resolve()
    await gate.promise
    return response
  }
  return { made: made.promise, release: gate.resolve }
}

forEachDatabase('outdated responses', (engine) => {
  // Shared by all tests: each uses its own users.
  let app: TestApp
  before(async () => {
    app = await testApp({ engine })
  })
  after(() => app[Symbol.asyncDispose]())

  for (const [name, path, leave] of [
    ['a sign-out', `${auth}/signout`, (client: Client) => client.signOut()],
    ['a call of sign-out', `${auth}/signout`, (client: Client) => client.call('POST /api/v1/auth/signout')],
    [
      'the deletion of an account',
      `${auth}/me`,
      (client: Client, { password }: Person) => client.call('DELETE /api/v1/auth/me', { body: { password } }),
    ],
  ] as const) {
    test(`${name} does not affect a newer sign-in of another tab`, async () => {
      const storage = slowStorage()
      const [one, two] = [open(app, 'token', storage), open(app, 'token', storage)]
      const [ada, bob] = [await app.user(), await app.user()]
      await signIn(one.client, ada)
      const answer = holdBack(app, one.network, path)
      const leaving = leave(one.client, ada)
      await answer.made
      await signIn(two.client, bob)
      answer.release()
      await leaving
      assert.equal((await two.client.me()).id, bob.id)
      assert.deepEqual(one.events, [`signed-in ${ada.email}`])
      await two.client.signOut()
      assert.equal(storage.kept.size, 0)
    })
  }

  for (const session of ['cookie', 'token'] as const) {
    test(`a response from before a sign-out signs no user in (${session})`, async () => {
      const { client, network, events } = open(app, session)
      const person = await app.user()
      await signIn(client, person)
      const answer = holdBack(app, network, `${auth}/me`)
      const asking = client.me()
      await answer.made
      await client.signOut()
      answer.release()
      assert.equal((await asking).id, person.id)
      assert.deepEqual(events, [`signed-in ${person.email}`, 'signed-out'])
    })

    test(`a response from before a sign-in in another tab does not bring back the previous user (${session})`, async () => {
      const { client, network, events, hear } = open(app, session)
      const [ada, bob] = [await app.user(), await app.user()]
      await signIn(client, ada)
      const user = await client.me()
      const answer = holdBack(app, network, `${auth}/me`)
      const asking = client.me()
      await answer.made
      const heard = next(client, 'signed-in')
      hear({ user: { ...user, id: bob.id, email: bob.email } })
      await heard
      answer.release()
      await asking
      assert.deepEqual(events, [`signed-in ${ada.email}`, `signed-in ${bob.email}`])
    })

    test(`a change is reported although another tab reported one meanwhile (${session})`, async () => {
      const { client, network, events, hear } = open(app, session)
      const person = await app.user()
      const signedIn = await signIn(client, person)
      assert.ok('user' in signedIn)
      const { user } = signedIn
      const answer = holdBack(app, network, `${auth}/me`)
      const changing = client.updateMe({ first_name: 'Ada' })
      await answer.made
      const heard = next(client, 'user-changed')
      hear({ user: { ...user, first_name: 'Ava' } })
      await heard
      answer.release()
      await changing
      assert.deepEqual(events, [`signed-in ${person.email}`, 'user-changed Ava', 'user-changed Ada'])
    })
  }

  test('a slow response that no user is signed in does not undo a faster sign-in', async () => {
    const { client, network, events } = open(app, 'cookie')
    const person = await app.user()
    const answer = holdBack(app, network, `${auth}/session`)
    const asking = client.session()
    await answer.made
    await signIn(client, person)
    answer.release()
    assert.equal(await asking, null)
    assert.deepEqual(events, [`signed-in ${person.email}`])
  })

  test('a reauthentication does not undo a newer sign-in of another tab', async () => {
    const storage = slowStorage()
    const [one, two] = [open(app, 'token', storage), open(app, 'token', storage)]
    const [ada, bob] = [await app.user(), await app.user()]
    await signIn(one.client, ada)
    const answer = holdBack(app, one.network, `${auth}/reauthenticate`)
    const proving = one.client.call('POST /api/v1/auth/reauthenticate', { body: { password: ada.password } })
    await answer.made
    await signIn(two.client, bob)
    answer.release()
    await proving
    assert.equal((await two.client.me()).id, bob.id)
    assert.deepEqual(one.events, [`signed-in ${ada.email}`])
  })

  test('a reauthentication keeps its tokens although the previous session was found ended meanwhile', async () => {
    const { client, network, events } = open(app, 'token')
    const person = await app.user()
    await signIn(client, person)
    const answer = holdBack(app, network, `${auth}/reauthenticate`)
    const proving = client.call('POST /api/v1/auth/reauthenticate', { body: { password: person.password } })
    await answer.made
    await assert.rejects(client.me(), InvalidToken)
    answer.release()
    await proving
    assert.deepEqual(events, [`signed-in ${person.email}`, 'signed-out', `signed-in ${person.email}`])
    assert.ok(await client.me())
  })

  test('a rejected request is not repeated with the tokens of another user', async () => {
    const called = await refusedWhile(app, `${auth}/me`, true)
    await assert.rejects(called.client.updateMe({ first_name: 'Ada' }), InvalidToken)
    assert.equal(called.network.count(`${auth}/me`), 1)
    assert.equal((await called.client.me()).first_name, '')

    const fetched = await refusedWhile(app, '/orders', true)
    const response = await fetched.client.fetch(`${api}/orders`, { method: 'POST', body: 'two socks' })
    assert.equal(response.status, 401)
    assert.equal(fetched.network.count('/orders'), 1)
  })

  test('a rejected request is repeated if the same user has signed in again in another tab', async () => {
    const called = await refusedWhile(app, `${auth}/me`, false)
    assert.equal((await called.client.me()).id, called.ada.id)
    assert.equal(called.network.count(`${auth}/me`), 2)

    const fetched = await refusedWhile(app, '/orders', false)
    assert.equal((await fetched.client.fetch(`${api}/orders`)).status, 200)
    assert.equal(fetched.network.count('/orders'), 2)
  })

  test('the session query returns the user who signed in meanwhile', async () => {
    const { client, meanwhile } = await refusedWhile(app, `${auth}/session`, true)
    assert.equal((await client.session())?.user.id, meanwhile.id)
  })

  test('tokens missing from the storage are reported once', async () => {
    const storage = slowStorage()
    const { client, events } = open(app, 'token', storage)
    const person = await app.user()
    await signIn(client, person)
    storage.kept.clear()
    await assert.rejects(client.me(), NotAuthenticated)
    assert.equal(await client.session(), null)
    assert.deepEqual(events, [`signed-in ${person.email}`, 'signed-out'])
  })

  test('messages from another tab while the storage fails are ignored without harm', async () => {
    const storage = slowStorage()
    let fails = false
    const get = (name: string) => (fails ? Promise.reject(new Error('the disk is gone')) : storage.get(name))
    const { client, events, hear } = open(app, 'token', { ...storage, get })
    const person = await app.user()
    await signIn(client, person)
    fails = true
    hear({ user: null })
    await assert.rejects(client.me(), (error) => error instanceof AuthError && error.code === 'service_unavailable')
    fails = false
    assert.ok(await client.me())
    assert.deepEqual(events, [`signed-in ${person.email}`])
  })
})

/** Creates a client whose next request to a path is rejected after a user, `meanwhile`, has signed in in another tab. */
async function refusedWhile(app: TestApp, path: string, other: boolean) {
  const storage = slowStorage()
  const [one, two] = [open(app, 'token', storage), open(app, 'token', storage)]
  const ada = await app.user()
  const meanwhile = other ? await app.user() : ada
  await signIn(one.client, ada)
  one.network.instead = async (asked) => {
    if (asked.path !== path) return undefined
    one.network.instead = () => (asked.url.startsWith(api) ? Response.json({}) : undefined)
    await signIn(two.client, meanwhile)
    const problem = { status: 401, code: 'token_invalid', detail: 'x' }
    return Response.json(problem, { status: 401 })
  }
  return { ...one, ada, meanwhile }
}
