import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forEachDatabase } from '../../test/support/app.ts'
import { password, signUp, type TestAuth, testAuth } from '../../test/support/auth.ts'
import { ada, foreignApp } from '../../test/support/foreign-app.ts'
import { hour, minute } from '../kernel/clock.ts'
import { AuthServiceUnavailable, InvalidToken, isAuthError } from '../kernel/errors.ts'
import { engineOf } from './engine.ts'
import type { SessionSource } from './session.ts'

const instant = { registration: 'instant' }
const url = 'http://localhost:3000/notes'

forEachDatabase('getSession', (engine) => {
  test('finds the user and the session by access token, cookie and API token', async () => {
    await using app = await testAuth({ engine, settings: instant })
    const { token, id, email } = await signUp(app)
    const byToken = await app.auth.api.getSession(new Request(url, bearer(token)))
    assert.equal(byToken?.user.id, id)
    assert.equal(byToken.session.kind, 'session')

    const byCookie = await app.auth.api.getSession(
      new Request(url, { headers: { cookie: await cookieOf(app, email) } }),
    )
    assert.equal(byCookie?.user.email, email)
    assert.equal(byCookie.session.kind, 'session')
    assert.notEqual(byCookie.session.id, byToken.session.id)
    assert.deepEqual(byCookie.session.methods, ['pwd'])

    const apiToken = await apiTokenOf(app, token)
    const byApiToken = await app.auth.api.getSession(new Request(url, bearer(apiToken)))
    assert.equal(byApiToken?.user.id, id)
    assert.equal(byApiToken.session.kind, 'api_token')
    assert.deepEqual(byApiToken.session.scopes, ['notes:read'])
    assert.doesNotMatch(JSON.stringify([byToken, byCookie, byApiToken]), /hash|secret|gatelodge_pat/i)
  })

  test('takes a Request, an IncomingMessage, Headers and plain headers in any case', async () => {
    await using app = await testAuth({ engine, settings: instant })
    const { token, id, email } = await signUp(app)
    const authorization = `Bearer ${token}`
    const cookie = await cookieOf(app, email)
    const sources: SessionSource[] = [
      new Request(url, bearer(token)),
      new Headers({ authorization }),
      { method: 'GET', headers: { authorization } },
      { authorization },
      { Authorization: authorization },
      { cookie: [cookie, 'theme=dark'].toReversed().join('; ') },
      { method: 'GET', headers: { cookie } },
      new Headers({ cookie }),
    ]
    for (const source of sources) assert.equal((await app.auth.api.getSession(source))?.user.id, id)
  })

  test('is null without a credential; an invalid one is null too, or an error if that is wanted', async () => {
    await using app = await testAuth({ engine, settings: instant })
    const { token, email } = await signUp(app)
    const cookie = await cookieOf(app, email)
    for (const source of [
      new Request(url),
      {},
      new Headers(),
      { cookie: 'theme=dark' },
      { authorization: 'Basic YTpi' },
    ]) {
      assert.equal(await app.auth.api.getSession(source), null)
      assert.equal(await app.auth.api.getSession(source, { throwOnInvalid: true }), null)
    }
    await app.auth.api.logoutUser(token)
    const bad = [`${cookie}x`, 'gatelodge=', `${cookie.slice(0, -4)}AAAA`].map((text) => ({ cookie: text }))
    for (const source of [...bad, { authorization: `Bearer ${token}` }, { authorization: 'Bearer a b' }]) {
      assert.equal(await app.auth.api.getSession(source), null)
      await assert.rejects(app.auth.api.getSession(source, { throwOnInvalid: true }), InvalidToken)
    }
    app.clock.advance(8 * 24 * hour)
    assert.equal(await app.auth.api.getSession({ cookie }), null)
  })

  test('counts as a use of the session, so that visitors of the host’s pages stay signed in', async () => {
    await using app = await testAuth({ engine, settings: { ...instant, sessionIdle: '1h' } })
    const { email } = await signUp(app)
    const cookie = await cookieOf(app, email)
    for (let turn = 0; turn < 4; turn += 1) {
      app.clock.advance(50 * minute)
      assert.ok(await app.auth.api.getSession({ cookie }))
    }
    app.clock.advance(61 * minute)
    assert.equal(await app.auth.api.getSession({ cookie }), null)
  })

  test('a cookie does not authenticate a change that another site asked for', async () => {
    await using app = await testAuth({ engine, settings: { ...instant, allowedOrigins: 'https://app.example.com' } })
    const { token, id, email } = await signUp(app)
    const cookie = await cookieOf(app, email)
    const ask = (method: string, headers: Record<string, string>) =>
      app.auth.api.getSession(new Request(url, { method, headers: { cookie, ...headers } }))
    for (const headers of [
      { origin: 'http://localhost:3000' },
      { origin: 'https://app.example.com', 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-origin' },
    ])
      assert.equal((await ask('POST', headers))?.user.id, id)
    assert.equal((await ask('GET', { 'sec-fetch-site': 'cross-site' }))?.user.id, id)
    for (const headers of [{}, { origin: 'https://evil.example.com' }, { 'sec-fetch-site': 'same-site' }] as const) {
      for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) assert.equal(await ask(method, headers), null)
      const wanted = app.auth.api.getSession(
        { method: 'POST', headers: { cookie, ...headers } },
        { throwOnInvalid: true },
      )
      await assert.rejects(wanted, (error) => isAuthError(error, 'cross_site'))
    }
    const crossSite = { method: 'POST', headers: { authorization: `Bearer ${token}`, 'sec-fetch-site': 'cross-site' } }
    assert.equal((await app.auth.api.getSession(crossSite))?.user.id, id)
  })

  test('asks the repository of the host, so a deactivated or deleted account has no session', async () => {
    let isDown = false
    await using app = await foreignApp({ engine })
    const { getById } = app.host.users
    const { id } = await app.host.users.create(ada)
    const { accessToken } = await app.auth.api.loginUser({ email: ada.email, password })
    const ask = () => app.auth.api.getSession({ authorization: `Bearer ${accessToken}` })
    assert.equal((await ask())?.user.id, id)
    let isGone = false
    Object.assign(engineOf(app.auth).users, {
      async getById(wanted: string) {
        if (isDown) throw new Error('down')
        return isGone ? null : getById(wanted)
      },
    })
    isDown = true
    await assert.rejects(ask(), AuthServiceUnavailable)
    isDown = false
    isGone = true
    assert.equal(await ask(), null)
    isGone = false
    assert.equal((await ask())?.user.id, id)
    app.host.deactivate(id)
    assert.equal(await ask(), null)
  })
})

function bearer(token: string): RequestInit {
  return { headers: { authorization: `Bearer ${token}` } }
}

async function cookieOf({ auth }: TestAuth, email: string): Promise<string> {
  const response = await auth.fetch(
    new Request('http://localhost:3000/api/v1/auth/signin', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ email, password, session: 'cookie' }),
    }),
    { peer: '192.0.2.1' },
  )
  const cookie = response.headers.getSetCookie().find((each) => each.startsWith('gatelodge='))
  return cookie?.split(';', 1)[0] ?? assert.fail(`no cookie: ${response.status}`)
}

async function apiTokenOf({ auth }: TestAuth, token: string): Promise<string> {
  const response = await auth.fetch(
    new Request('http://localhost:3000/api/v1/auth/me/tokens', {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({ name: 'notes', scopes: ['notes:read'], expires_in: 3_600 }),
    }),
    { peer: '192.0.2.1' },
  )
  assert.equal(response.status, 201)
  return ((await response.json()) as { token: string }).token
}
