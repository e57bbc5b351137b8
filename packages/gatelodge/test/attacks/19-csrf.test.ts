import assert from 'node:assert/strict'
import { test } from 'node:test'
import { errorTable } from '../../src/kernel/errors.ts'
import { pages } from '../../src/routes.ts'
import { forEachDatabase, type TestApp, testApp } from '../support/app.ts'
import { askEveryRoute, askPage, concrete, stored } from '../support/attack.ts'
import { Visitor } from '../support/visitor.ts'

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

/** Sends a file as a form page would. */
function postUpload(
  app: TestApp,
  path: string,
  headers: Readonly<Record<string, string>>,
  fields: Readonly<Record<string, string>>,
  field: string,
): Promise<Response> {
  const body = new FormData()
  for (const [name, value] of Object.entries(fields)) body.set(name, value)
  body.set(field, new Blob(['x'], { type: 'image/png' }), 'x.png')
  const request = new Request(`http://localhost:3000${path}`, { method: 'POST', headers, body })
  return Promise.resolve(app.composition.fetch(request, { peer: '192.0.2.8' }))
}

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
      for (const { name, status, code, json, route } of told) {
        const refusal = route.surface === 'oauth' ? json.error_description : code
        const expected = route.surface === 'oauth' ? errorTable.cross_site[1] : 'cross_site'
        assert.deepEqual([status, refusal], [403, expected], `${name} ${JSON.stringify(headers)}`)
      }
    }
    // A bearer token sent with the cookie is no proof either.
    const withBearer = await app.post('/signout', {}, { cookie, crossSite: true, bearer: 'x' })
    assert.equal(withBearer.code, 'cross_site')
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

  test('login CSRF: another site cannot sign a visitor in, up or out', async () => {
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
        ({ body, surface, emptyBody }) => body !== undefined && surface === 'json' && emptyBody !== true,
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

  test('every form page refuses a form without the token of its own session or browser, wherever it comes from', async () => {
    await using app = await testApp({ engine, env: { GATELODGE_RATE_LIMITS: 'off' } })
    const ada = await app.user()
    const cookie = `gatelodge=${await app.cookie(ada)}`
    const stranger = new Visitor(app)
    const strangers = (await stranger.get('/login')).form('/login').form_token ?? ''
    const mallory = new Visitor(app)
    const person = await app.user()
    await mallory.fill('/login', { identifier: person.email, password: person.password })
    const mallorys = (await mallory.get('/verify-email')).form('/language').form_token ?? ''
    await app.composition.deliverMail()
    const before = await stored(app)

    const forms = pages.filter(({ method }) => method === 'POST')
    assert.ok(forms.length >= 8)
    for (const route of forms) {
      for (const cookies of [cookie, 'gatelodge-form=AAAAAAAAAAAAAAAAAAAAAA', '']) {
        for (const proof of [{ 'sec-fetch-site': 'same-origin' }, ...crossSite]) {
          for (const form_token of [strangers, mallorys, 'x', '']) {
            const headers = { ...proof, cookie: cookies }
            const path = concrete(route)
            const told = await (route.upload
              ? postUpload(app, path, headers, { form_token }, route.upload.field)
              : askPage(app, 'POST', path, headers, { form_token }))
            const name = `${route.path} ${JSON.stringify(headers)}`
            // A signed-out visitor is sent to the sign-in page, and nothing of the form gets there.
            if (told.status === 303) assert.match(told.headers.get('location') ?? '', /^\/login\?next=/, name)
            else assert.equal(told.status, 403, name)
          }
        }
      }
    }
    assert.deepEqual(await stored(app), before)
    assert.equal((await app.get('/session', { cookie: cookie.slice('gatelodge='.length) })).status, 200)
  })

  test('a form with its right token is refused as well when the browser says that another site sent it, or nothing at all', async () => {
    await using app = await testApp({ engine })
    const nullBeside = ['cross-site', 'same-site', ''].map((site) => ({ origin: 'null', 'sec-fetch-site': site }))
    for (const headers of [...crossSite.filter((given) => given.origin !== 'null'), ...nullBeside]) {
      const visitor = new Visitor(app)
      const fields = (await visitor.get('/register')).form('/register')
      const filled = {
        ...fields,
        email: 'x@example.com',
        password: 'planted harbour 9',
        password_confirmation: 'planted harbour 9',
      }
      assert.equal((await visitor.post('/register', filled, headers)).status, 403)
    }
    assert.deepEqual(await app.rows('pending_signups'), [])
  })

  test('a form of a browser without Fetch Metadata, whose origin is null, is judged by its token alone', async () => {
    await using app = await testApp({ engine })
    const alone = { origin: 'null' }
    const visitor = new Visitor(app)
    const mallory = new Visitor(app)
    const fields = (await visitor.get('/register')).form('/register')
    const password = 'quiet harbour 52'
    const filled = { ...fields, email: 'x@example.com', password, password_confirmation: password }
    const foreign = (await mallory.get('/register')).form('/register').form_token ?? ''
    for (const form_token of ['', 'x', foreign]) {
      assert.equal((await visitor.post('/register', { ...filled, form_token }, alone)).status, 403)
    }
    assert.deepEqual(await app.rows('pending_signups'), [])
    assert.equal((await visitor.post('/register', filled, alone)).status, 200)
    assert.equal((await app.rows('pending_signups')).length, 1)

    const ada = await app.user()
    const login = (await visitor.get('/login')).form('/login')
    const account = await visitor.post('/login', { ...login, identifier: ada.email, password: ada.password }, alone)
    assert.equal(account.at, '/account')
    // The JSON API does not accept this token for the same session.
    const cookie = visitor.cookie('gatelodge') ?? ''
    assert.equal((await app.post('/signout', {}, { cookie, crossSite: true, headers: alone })).code, 'cross_site')
    const left = await visitor.post('/logout', (await visitor.get('/logout')).form('/logout'), alone)
    assert.equal(left.status, 200)
    assert.equal((await app.get('/session', { cookie })).status, 401)
  })

  test('every form route checks the token, whether or not it takes anything else', () => {
    for (const route of pages.filter(({ method }) => method === 'POST')) assert.equal(route.origin, 'form', route.path)
  })
})
