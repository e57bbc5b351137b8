import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forEachDatabase, testApp } from '../support/app.ts'
import { askEveryRoute, stored } from '../support/attack.ts'

const crossSite: readonly Readonly<Record<string, string>>[] = [
  {},
  { 'sec-fetch-site': 'cross-site' },
  { 'sec-fetch-site': 'same-site' },
  { 'sec-fetch-site': 'Same-Origin ' },
  { 'sec-fetch-site': 'same-origin, cross-site' },
  { 'sec-fetch-site': 'x' },
  { origin: 'https://evil.test' },
  { origin: 'null' },
  { origin: 'http://localhost:3000.evil.test' },
  { origin: 'http://localhost:30001' },
  { origin: 'https://localhost:3000' },
  { origin: 'http://evil.test#http://localhost:3000' },
  { origin: 'http://localhost:3000 https://evil.test' },
  { origin: 'https://evil.test', referer: 'http://localhost:3000/' },
  { origin: 'https://evil.test', 'sec-fetch-site': 'cross-site', 'x-requested-with': 'XMLHttpRequest' },
]

forEachDatabase('19 CSRF', (engine) => {
  test('every unsafe route refuses our cookie without a same-origin proof, and nothing happens', async () => {
    await using app = await testApp({ engine })
    const cookie = await app.cookie(await app.user())
    await app.composition.deliverMail()
    const before = await stored(app)
    for (const headers of crossSite) {
      const told = await askEveryRoute(
        app,
        () => ({ cookie, crossSite: true, headers }),
        ({ method }) => method !== 'GET',
      )
      assert.ok(told.length >= 15)
      for (const { name, status, code } of told) {
        assert.deepEqual([status, code], [403, 'cross_site'], `${name} ${JSON.stringify(headers)}`)
      }
    }
    // A bearer token beside the cookie is no proof either.
    const beside = await app.post('/signout', {}, { cookie, crossSite: true, bearer: 'x' })
    assert.equal(beside.code, 'cross_site')
    assert.deepEqual(await stored(app), before)
    assert.equal((await app.get('/session', { cookie })).status, 200)
  })

  test('our own origin, and an allowed one, get through', async () => {
    await using app = await testApp({ engine, env: { GATELODGE_ALLOWED_ORIGINS: 'https://app.example' } })
    const cookie = await app.cookie(await app.user())
    for (const headers of [
      { origin: 'http://localhost:3000' },
      { 'sec-fetch-site': 'same-origin' },
      { 'sec-fetch-site': 'none' },
      { origin: 'https://app.example', 'sec-fetch-site': 'cross-site' },
    ]) {
      const told = await app.ask('PATCH', '/me', { first_name: 'Ada' }, { cookie, crossSite: true, headers })
      assert.equal(told.status, 200, JSON.stringify(headers))
    }
  })

  test('login CSRF: a browser on another site signs nobody in, up or out', async () => {
    await using app = await testApp({ engine })
    const mallory = await app.user()
    await app.composition.deliverMail()
    const { access } = await app.tokens(mallory)
    const before = await stored(app)
    for (const headers of crossSite.slice(1).filter((given) => given['sec-fetch-site'] !== 'Same-Origin ')) {
      for (const [path, body] of [
        ['/signin', { email: mallory.email, password: mallory.password, session: 'cookie' }],
        ['/signup', { email: 'x@example.com', password: 'planted harbour 9' }],
        ['/forgot-password', { email: mallory.email }],
        ['/signout', {}],
      ] as const) {
        const told = await app.post(path, body, { headers, ...(path === '/signout' && { bearer: access }) })
        assert.deepEqual(
          [told.status, told.code, told.setCookies],
          [403, 'cross_site', []],
          `${path} ${JSON.stringify(headers)}`,
        )
      }
    }
    assert.deepEqual(await stored(app), before)
  })

  test('what an HTML form can send is no JSON request: text/plain, form and multipart bodies are refused on every route', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const { access } = await app.tokens(ada)
    await app.composition.deliverMail()
    const before = await stored(app)
    const body = JSON.stringify({ email: ada.email, password: ada.password })
    for (const type of [
      'text/plain',
      'text/plain;charset=UTF-8',
      'text/plain; application/json',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'application/json, text/plain',
      'application/jsonp',
      'application/json; charset=utf-7',
      '',
    ]) {
      const told = await askEveryRoute(
        app,
        () => ({ bearer: access, headers: { 'content-type': type } }),
        ({ body, emptyBody }) => body !== undefined && emptyBody !== true,
      )
      for (const { name, code } of told) assert.equal(code, 'media_type_unsupported', `${name} ${type}`)
      assert.equal((await app.ask('POST', '/signin', body, { headers: { 'content-type': type } })).status, 415, type)
    }
    assert.deepEqual(await stored(app), before)
  })

  test('no header or parameter turns a read into a write', async () => {
    await using app = await testApp({ engine })
    const cookie = await app.cookie(await app.user())
    for (const name of ['x-http-method-override', 'x-http-method', 'x-method-override']) {
      assert.equal((await app.get('/me', { cookie, crossSite: true, headers: { [name]: 'DELETE' } })).status, 200)
    }
    assert.equal((await app.get('/me?_method=DELETE', { cookie, crossSite: true })).status, 200)
    assert.equal((await app.get('/session', { cookie })).status, 200)
    for (const path of ['/signout', '/signin', '/change-password', '/refresh']) {
      assert.equal((await app.get(path, { cookie, crossSite: true })).status, 405, path)
    }
  })
})
