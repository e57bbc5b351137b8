import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forEachDatabase, testApp } from '../../../test/support/app.ts'
import { createAdministrator } from '../../admin/users/create-user.ts'
import { systemActor } from '../../kernel/actor.ts'

const names = ['x-auth-user', 'x-auth-username', 'x-auth-email', 'x-auth-roles']

/** Authorization headers that browsers and programs send for something else at the same address. */
const foreign = [
  'Basic eDp5',
  'basic eDp5',
  'Basic',
  'Digest username="x", realm="y", nonce="z", uri="/", response="0"',
  'Negotiate YII=',
  'NTLM TlRM',
  'AWS4-HMAC-SHA256 Credential=x/y, Signature=z',
  'DPoP x.y.z',
  'Token abc',
  'Basic eDp5, Bearer x',
  'BearerX y',
  'X_Custom abc',
  'My.Scheme abc',
  'Custom/1.0 abc',
  '123 abc',
  'Basic\teDp5',
]

forEachDatabase('forward auth', (engine) => {
  test('a user with a session is let through by every method, and identified in headers', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    await createAdministrator(app.deps, systemActor('command', 'test'), { email: ada.email })
    const { access } = await app.tokens(ada)
    const cookie = await app.cookie(ada)
    for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND']) {
      // A proxy may pass on a form that another site sent; the check itself changes nothing.
      for (const ask of [
        { bearer: access },
        { cookie, crossSite: true, headers: { 'sec-fetch-site': 'cross-site' } },
      ]) {
        const told = await app.ask(method, '/forward-auth', undefined, ask)
        assert.deepEqual([told.status, told.text], [200, ''], method)
        const said = names.map((name) => told.headers.get(name))
        assert.deepEqual(said, [ada.id, ada.username, ada.email, 'administrator'])
      }
    }
  })

  test('a client without a session is rejected with 401, whatever it claims to be', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const { access, refresh } = await app.tokens(ada)
    const claims = Object.fromEntries(names.map((name) => [name, ada.id]))
    for (const ask of [
      { headers: claims },
      { headers: claims, bearer: 'x' },
      { bearer: refresh },
      { cookie: refresh },
      { headers: { authorization: `Basic ${access}` } },
    ]) {
      const told = await app.get('/forward-auth', ask)
      assert.deepEqual(
        [told.status, told.code],
        [401, ask.bearer || ask.cookie ? 'token_invalid' : 'not_authenticated'],
      )
      for (const name of names) assert.equal(told.headers.get(name), null)
    }
    await app.post('/signout', {}, { bearer: access })
    assert.equal((await app.get('/forward-auth', { bearer: access })).status, 401)
  })

  test('a name that is not there is empty, so that a proxy overwrites what the client sent', async () => {
    await using app = await testApp({ engine })
    await app.post('/signup', { email: 'nameless@example.com', password: 'quiet harbour 52' })
    const { token } = await app.lastMail('nameless@example.com')
    await app.post('/verify-email', { token, password: 'quiet harbour 52' })
    const signedIn = await app.post('/signin', { email: 'nameless@example.com', password: 'quiet harbour 52' })
    const told = await app.get('/forward-auth', { bearer: signedIn.json.access_token })
    assert.deepEqual([told.headers.get('x-auth-username'), told.headers.get('x-auth-roles')], ['', ''])
  })

  test('with ?redirect a stranger is led to the sign-in page and back, to configured origins only', async () => {
    await using app = await testApp({ engine, env: { GATELODGE_ALLOWED_ORIGINS: 'https://app.example.com' } })
    const login = 'http://localhost:3000/login'
    const leads = async (headers: Readonly<Record<string, string>>) => {
      const told = await app.get('/forward-auth?redirect', { headers })
      assert.equal(told.status, 302)
      return told.headers.get('location')
    }
    const asked = (proto: string, host: string, uri: string) => ({
      'x-forwarded-proto': proto,
      'x-forwarded-host': host,
      'x-forwarded-uri': uri,
    })
    assert.equal(await leads({}), login)
    assert.equal(await leads({ 'x-forwarded-uri': '/wiki?page=1' }), `${login}?next=%2Fwiki%3Fpage%3D1`)
    assert.equal(await leads(asked('http', 'localhost:3000', '/wiki')), `${login}?next=%2Fwiki`)
    assert.equal(
      await leads(asked('https', 'app.example.com', '/a?b=c')),
      `${login}?next=https%3A%2F%2Fapp.example.com%2Fa%3Fb%3Dc`,
    )
    for (const evil of [
      asked('https', 'evil.test', '/'),
      asked('http', 'app.example.com', '/'),
      asked('https', 'app.example.com.evil.test', '/'),
      asked('https', 'app.example.com@evil.test', '/'),
      asked('javascript', 'app.example.com', '/'),
      asked('https', 'app.example.com', '\\evil'),
      { 'x-forwarded-uri': '//evil.test/' },
      { 'x-forwarded-uri': 'https://evil.test/' },
      { 'x-forwarded-uri': '/\\evil.test' },
      { 'x-forwarded-uri': 'x'.repeat(3_000) },
    ]) {
      assert.equal(await leads(evil), login, JSON.stringify(evil))
    }
    assert.equal((await app.get('/forward-auth?redirect', { bearer: 'x' })).status, 302)
    const { access } = await app.tokens(await app.user())
    assert.equal((await app.get('/forward-auth?redirect', { bearer: access })).status, 200)
  })

  test('an Authorization header of another scheme does not hide the cookie, and redirects to the sign-in page do not loop', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const { access } = await app.tokens(ada)
    const cookie = await app.cookie(ada)
    for (const authorization of foreign) {
      for (const path of ['/forward-auth', '/forward-auth?redirect', '/session', '/validate', '/me', '/me/sessions']) {
        const told = await app.get(path, { cookie, headers: { authorization } })
        assert.equal(told.status, 200, `${path} ${authorization}`)
      }
      const changed = await app.patch('/me', { first_name: 'Ada' }, { cookie, headers: { authorization } })
      assert.equal(changed.status, 200, authorization)
      const planted = await app.patch(
        '/me',
        { first_name: 'x' },
        { cookie, crossSite: true, headers: { authorization } },
      )
      assert.equal(planted.code, 'cross_site', 'the cookie counts, so that the proof is asked for')

      assert.equal((await app.get('/session', { headers: { authorization } })).code, 'not_authenticated')
      assert.equal((await app.get('/forward-auth', { headers: { authorization } })).code, 'not_authenticated')
      assert.equal((await app.get('/forward-auth?redirect', { headers: { authorization } })).status, 302)
    }
    // A bearer token is meant for us. With one, the cookie is ignored, and redirecting to the sign-in page would only lead back here.
    for (const authorization of ['Bearer x', `bearer ${access}x`, 'Bearer', 'Bearer  ', access]) {
      for (const path of ['/forward-auth', '/forward-auth?redirect', '/session'])
        assert.equal((await app.get(path, { cookie, headers: { authorization } })).code, 'token_invalid', authorization)
    }
    const signedOut = await app.post('/signout', {}, { cookie, headers: { authorization: 'Basic eDp5' } })
    assert.equal(signedOut.json.username, ada.username)
    assert.equal((await app.get('/session', { cookie })).status, 401)
  })

  test('an API token is let through only where the proxy names a scope that it has', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const { access } = await app.tokens(ada)
    const { json } = await app.post('/me/tokens', { name: 'x', scopes: ['wiki'] }, { bearer: access })
    const told = (path: string, bearer = json.token) => app.get(path, { bearer })
    assert.deepEqual(
      [(await told('/forward-auth')).status, (await told('/forward-auth')).code],
      [403, 'insufficient_scope'],
    )
    assert.equal((await told('/forward-auth?scope=wik')).code, 'insufficient_scope')
    assert.equal((await told('/forward-auth?scope=wiki&redirect')).status, 200)
    assert.equal((await told('/forward-auth?scope=wiki')).headers.get('x-auth-user'), ada.id)
    assert.equal((await told('/forward-auth?scope=wiki', access)).status, 200)
  })

  test('a stranger with the cookies of another program brought nothing', async () => {
    await using app = await testApp({ engine })
    const told = await app.get('/forward-auth', { headers: { cookie: 'theme=dark' } })
    assert.equal(told.code, 'not_authenticated')
    assert.doesNotMatch(told.headers.get('www-authenticate') ?? '', /error=/)
  })

  test('a value outside of ASCII is percent-encoded, and one with a percent sign', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const { access } = await app.tokens(ada)
    const changed = await app.patch('/me', { username: 'żółw' }, { bearer: access })
    assert.equal(changed.status, 200, changed.text)
    const told = await app.get('/forward-auth', { bearer: access })
    assert.equal(told.headers.get('x-auth-username'), encodeURIComponent(changed.json.username))

    const odd = await app.user({ email: 'admin%40corp.com%20@example.org' })
    const { access: oddAccess } = await app.tokens(odd)
    const header = (await app.get('/forward-auth', { bearer: oddAccess })).headers.get('x-auth-email') ?? ''
    assert.equal(decodeURIComponent(header), odd.email)
  })
})
