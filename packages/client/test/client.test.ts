import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createAccount } from '../../gatelodge/src/admin/users/create-user.ts'
import { systemActor } from '../../gatelodge/src/kernel/actor.ts'
import { routes } from '../../gatelodge/src/routes.ts'
import { forEachDatabase, type TestApp, testApp } from '../../gatelodge/test/support/app.ts'
import { dataFolder, plain } from '../../gatelodge/test/support/images.ts'
import { createClientOn } from '../src/client.ts'
import { AuthError, AuthServiceUnavailable, InvalidToken, NotAuthenticated } from '../src/errors.ts'
import { createClient } from '../src/index.ts'
import { credentialOf, type Route } from '../src/routes.ts'
import { browserOf, fetchOf, slowStorage, tab } from './support/around.ts'
import { listen } from './support/listen.ts'

function open(app: TestApp, session: 'cookie' | 'token') {
  const network = session === 'cookie' ? browserOf(app) : fetchOf(app)
  const client = createClientOn(tab({ fetch: network.fetch, now: app.clock.now }), { session })
  const events: string[] = []
  client.on('signed-in', ({ email }) => events.push(`signed-in ${email}`))
  client.on('signed-out', () => events.push('signed-out'))
  client.on('user-changed', ({ fullname }) => events.push(`user-changed ${fullname}`))
  return { client, network, events }
}

forEachDatabase('the client', (engine) => {
  // Shared by all tests: each uses its own users.
  let app: TestApp
  before(async () => {
    app = await testApp({ engine })
  })
  after(() => app[Symbol.asyncDispose]())

  for (const session of ['cookie', 'token'] as const) {
    test(`from sign-up to sign-out by ${session}`, async () => {
      await using app = await testApp({ engine })
      const { client, events, network } = open(app, session)
      const email = 'ada@example.com'
      assert.equal(await client.session(), null)
      assert.deepEqual(Object.keys(await client.signUp({ email, password: 'quiet harbour 52' })), ['status', 'message'])
      await client.resendVerification(email)
      const { token } = await app.lastMail(email)
      // The browser that signed up is recognized by its cookie.
      const password = session === 'token' ? { password: 'quiet harbour 52' } : {}
      assert.equal((await client.verifyEmail({ token, ...password })).user.email, email)
      assert.equal(await client.session(), null)

      const signedIn = await client.signIn({ email, password: 'quiet harbour 52' })
      assert.ok('user' in signedIn)
      const { user } = signedIn
      assert.equal((await client.me()).id, user.id)
      assert.equal((await client.session())?.session.current, true)
      await client.updateMe({ first_name: 'Ada', profile: { locale: 'fr' } })
      await client.updateMe({ first_name: 'Ada' })
      await client.changePassword({ old_password: 'quiet harbour 52', new_password: 'loud harbour 53' })
      await client.signOut()
      await client.signOut()
      assert.equal(await client.session(), null)

      await client.forgotPassword(email)
      const reset = await app.lastMail(email)
      await client.resetPassword({ token: reset.token, new_password: 'calm harbour 54' })
      await client.signIn({ identifier: email, password: 'calm harbour 54' })
      await client.call('DELETE /api/v1/auth/me', { body: { password: 'calm harbour 54' } })
      assert.equal(await client.session(), null)
      assert.deepEqual(events, [
        `signed-in ${email}`,
        'user-changed Ada',
        'signed-out',
        `signed-in ${email}`,
        'signed-out',
      ])
      const bearers = network.asked.filter(({ headers }) => headers.has('authorization')).length
      assert.equal(bearers > 0, session === 'token')
    })

    test(`a reloaded page reports the first change that it makes (${session})`, async () => {
      const { network } = open(app, session)
      const { email, password } = await app.user()
      const platform = tab({ fetch: network.fetch, now: app.clock.now, tabStorage: slowStorage() })
      await createClientOn(platform, { session }).signIn({ email, password })
      const page = createClientOn(platform, { session })
      const heard: string[] = []
      for (const event of ['signed-in', 'user-changed'] as const) page.on(event, () => heard.push(event))
      await page.updateMe({ first_name: 'Ada' })
      await page.me()
      assert.deepEqual(heard, ['user-changed'])
    })

    test(`a picture is set and removed by ${session}`, async () => {
      using data = dataFolder()
      await using app = await testApp({ engine, env: data.env })
      const { client } = open(app, session)
      const { email, password } = await app.user()
      await client.signIn({ email, password })
      const picture = new Blob([new Uint8Array(await plain(64, 64).png().toBuffer())], { type: 'image/png' })
      assert.match((await client.setAvatar(picture)).avatar_url ?? '', /^\/avatars\/./)
      assert.equal((await client.removeAvatar()).avatar_url, null)
      await assert.rejects(client.setAvatar(new Blob(['no picture'])), { code: 'image_invalid' })
    })
  }

  for (const session of ['cookie', 'token'] as const) {
    test(`an invalid mailed link says nothing about the session (${session})`, async () => {
      const { client, network, events } = open(app, session)
      const { email, password } = await app.user()
      await client.signIn({ email, password })
      await assert.rejects(client.verifyEmail({ token: 'x' }), { name: 'InvalidToken', status: 400 })
      assert.equal(network.count('/api/v1/auth/refresh'), 0)
      assert.deepEqual(events, [`signed-in ${email}`])
      assert.ok(await client.me())
    })
  }

  test('a cookie session that ended elsewhere is reported once, and a page without a signed-in user reports no event', async () => {
    const { client, events } = open(app, 'cookie')
    const person = await app.user()
    await assert.rejects(client.me(), NotAuthenticated)
    await client.signIn({ email: person.email, password: person.password })
    await app.delete('/me/sessions', { cookie: await app.cookie(person) })
    await assert.rejects(client.me(), InvalidToken)
    assert.equal(await client.session(), null)
    assert.deepEqual(events, [`signed-in ${person.email}`, 'signed-out'])
  })

  test('a listener receives nothing after it was removed', async () => {
    const { client } = open(app, 'token')
    const { email, password } = await app.user()
    let heard = 0
    const off = client.on('signed-in', () => {
      heard += 1
    })
    await client.signIn({ email, password })
    off()
    await client.signIn({ email, password })
    assert.equal(heard, 1)
  })

  test('a sign-out that does not reach the server deletes the tokens and throws', async () => {
    const { client, network, events } = open(app, 'token')
    const { email, password } = await app.user()
    await client.signIn({ email, password })
    network.instead = () => Promise.reject(new TypeError('fetch failed'))
    await assert.rejects(client.signOut(), AuthServiceUnavailable)
    network.instead = undefined
    assert.equal(await client.session(), null)
    assert.deepEqual(events, [`signed-in ${email}`, 'signed-out'])
  })

  test('parameters and queries are encoded, and no parameter leads to another path', async () => {
    const { client, network } = open(app, 'token')
    const { email, password } = await app.user()
    await client.signIn({ email, password })
    network.asked.length = 0
    const end = (id: string) => client.call('DELETE /api/v1/auth/me/sessions/{id}', { params: { id } })
    await assert.rejects(end('a/../../x?y#z'), { code: 'not_found' })
    for (const id of ['..', '.', '']) await assert.rejects(end(id), TypeError, id)
    const ask = client.call('GET /api/v1/auth/username-available', { query: { username: 'a&b=c d' } })
    await assert.rejects(ask, { code: 'input_invalid' })
    assert.deepEqual(
      network.asked.map(({ url }) => url),
      [
        'http://localhost:3000/api/v1/auth/me/sessions/a%2F..%2F..%2Fx%3Fy%23z',
        'http://localhost:3000/api/v1/auth/username-available?username=a%26b%3Dc+d',
      ],
    )
  })

  test('a response without a body is undefined', async () => {
    const { client } = open(app, 'token')
    const { email, password } = await app.user()
    await client.signIn({ email, password })
    assert.equal(await client.call('DELETE /api/v1/auth/me/sessions'), undefined)
  })

  test('an error has code, status, message, invalid fields, the retry delay and the id of the request', async () => {
    await using app = await testApp({ engine })
    const { client } = open(app, 'cookie')
    const signUp = await client
      .signUp({ email: 'not an address', password: 'quiet harbour 52' })
      .catch((error) => error)
    assert.ok(signUp instanceof AuthError && signUp.name === 'AuthError')
    assert.equal(signUp.code, 'input_invalid')
    assert.equal(signUp.status, 400)
    assert.equal(signUp.detail, signUp.message)
    assert.deepEqual(signUp.faults, [{ field: 'email', code: 'email_invalid', message: signUp.faults[0]?.message }])
    assert.match(signUp.instance ?? '', /^urn:uuid:/)
    assert.equal(signUp.retryAfter, undefined)

    const wrong = () => client.signIn({ email: 'ada@example.com', password: 'x' }).catch((error) => error)
    for (let tries = 0; tries < 10; tries += 1) assert.equal((await wrong()).code, 'invalid_credentials')
    const limited = await wrong()
    assert.equal(limited.code, 'rate_limited')
    assert.ok(limited.retryAfter > 0)
  })

  test('any response that is not from this API is service_unavailable', async () => {
    const { client, network } = open(app, 'cookie')
    const answers: Record<string, () => Response> = {
      'an HTML page': () => new Response('<h1>Hello</h1>', { headers: { 'content-type': 'text/html' } }),
      'an HTML failure': () => new Response('<h1>Bad gateway</h1>', { status: 502 }),
      'a JSON text': () => Response.json('hello'),
      'a JSON array': () => Response.json([]),
      'a failure of another API': () => Response.json({ error: 'nope' }, { status: 400 }),
      nothing: () => new Response(''),
      'no connection': () => {
        throw new TypeError('fetch failed')
      },
    }
    for (const [name, answer] of Object.entries(answers)) {
      network.instead = () => answer()
      await assert.rejects(client.session(), AuthServiceUnavailable, name)
    }
    network.instead = () => new Response('', { status: 503, headers: { 'retry-after': '120' } })
    await assert.rejects(client.me(), { name: 'AuthServiceUnavailable', code: 'service_unavailable', retryAfter: 120 })
    network.instead = () =>
      new Response('', { status: 503, headers: { 'retry-after': 'Fri, 20 Nov 2026 10:05:00 GMT' } })
    await assert.rejects(client.me(), { code: 'service_unavailable', retryAfter: undefined })
  })

  test('outside a page the URL of the server is required, and only its origin and path are used', async () => {
    await assert.rejects(createClient().session(), TypeError)
    const network = fetchOf(app)
    const platform = tab({ fetch: network.fetch, now: app.clock.now, href: undefined as never })
    const client = createClientOn(platform, { baseUrl: 'http://localhost:3000/' })
    assert.equal(await client.session(), null)
    assert.equal(network.asked[0]?.url, 'http://localhost:3000/api/v1/auth/session')
  })

  test('a redirect is not accepted as a response, however a platform represents it and whatever it contains', async () => {
    const { client, network, events } = open(app, 'token')
    const { email, password } = await app.user()
    await client.signIn({ email, password })
    const ended = { code: 'token_invalid', detail: 'x' }
    const redirects: Record<string, () => Response> = {
      'of a browser': () => Object.defineProperty(Response.error(), 'type', { value: 'opaqueredirect' }),
      'that says nothing': () => new Response(null, { status: 302, headers: { location: 'https://evil.example/' } }),
      'with an answer in it': () => Response.json({ id: '1', email: 'eve@example.com' }, { status: 307 }),
      'that says that the session ended': () => Response.json(ended, { status: 303 }),
    }
    app.clock.advance(16 * 60_000)
    for (const redirect of Object.values(redirects)) {
      network.instead = redirect
      await assert.rejects(client.me(), (error) => {
        const refresh = error instanceof AuthServiceUnavailable && error.cause
        return refresh instanceof AuthServiceUnavailable && refresh.cause instanceof TypeError
      })
    }
    network.instead = undefined
    assert.equal((await client.me()).email, email)
    assert.deepEqual(events, [`signed-in ${email}`])
  })

  for (const session of ['cookie', 'token'] as const) {
    test(`an initial password is replaced before anyone is signed in (${session})`, async () => {
      const { client, events } = open(app, session)
      const email = `newcomer-${session}@example.com`
      const account = { email, password: 'quiet harbour 52', mustChangePassword: true }
      await createAccount(app.deps, systemActor('command', 'test'), account)
      const answer = await client.signIn({ email, password: account.password })
      assert.ok('change_token' in answer)
      assert.deepEqual([answer.status, await client.session(), events], ['password_change_required', null, []])

      const { change_token } = answer
      const done = await client.replaceInitialPassword({ change_token, new_password: 'calm lagoon 7 tides' })
      assert.ok('user' in done)
      assert.equal((await client.session())?.user.email, email)
      assert.deepEqual(events, [`signed-in ${email}`])
    })
  }

  test('requests use only options that Cloudflare Workers accept', async () => {
    const { client, network } = open(app, 'token')
    const { email, password } = await app.user()
    await client.signIn({ email, password })
    assert.ok(await client.me())
    assert.deepEqual(new Set(network.asked.map(({ request }) => request.redirect)), new Set(['manual']))
  })
})

test('a route receives a credential exactly if the server reads one there', () => {
  const apiRoutes = routes.filter(({ path, answers }) => path.startsWith('/api/') && !(303 in answers))
  assert.ok(apiRoutes.length > 20)
  for (const { method, path, access } of apiRoutes) {
    const name = `${method} ${path.replace(/:(\w+)/g, '{$1}')}` as Route
    const isRead = access.by.includes('session')
    const expected = isRead ? (access.by.includes('anyone') ? 'optional' : 'session') : 'none'
    assert.equal(credentialOf(name), expected, name)
  }
})

test('a server that does not answer, a redirect and a closed port are service_unavailable in time', async () => {
  const canary = await listen((_request, response) => response.end('{}'))
  const server = await listen((request, response) => {
    if (request.url?.endsWith('/me')) response.writeHead(302, { location: `${canary.origin}/x` }).end()
    if (request.url?.endsWith('/validate')) response.writeHead(200, { 'content-type': 'application/json' }).write('{')
  })
  try {
    const client = createClient({ baseUrl: server.origin, timeout: 150 })
    await assert.rejects(client.session(), AuthServiceUnavailable)
    await assert.rejects(client.call('GET /api/v1/auth/validate'), AuthServiceUnavailable)
    await assert.rejects(client.me(), AuthServiceUnavailable)
    assert.equal(canary.requests.length, 0)
    const signal = AbortSignal.abort(new Error('enough'))
    await assert.rejects(client.call('GET /api/v1/auth/session', { signal }), /enough/)
  } finally {
    await server.close()
    await canary.close()
  }
  await assert.rejects(createClient({ baseUrl: server.origin }).session(), AuthServiceUnavailable)
})
