import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pages } from '../../src/routes.ts'
import { forEachDatabase, testApp } from '../support/app.ts'
import { askPage, concrete } from '../support/attack.ts'
import { Visitor } from '../support/visitor.ts'
import { listen, request } from '../support/wire.ts'

const evil = [
  '//evil.test',
  '/\\evil.test',
  '\\\\evil.test',
  'https:evil.test',
  'https://evil.test/',
  '@evil.test',
  '.evil.test',
  '/%09/evil.test',
  '/%5cevil.test',
  'javascript:alert(1)',
  'x#@evil.test',
  'x&next=https://evil.test',
  '../../evil',
]

forEachDatabase('18 open redirect', (engine) => {
  test('the one redirect there is leads to our page, whatever stands in the token', async () => {
    await using app = await testApp({ engine })
    for (const token of evil) {
      const told = await app.get(`/verify-email?token=${encodeURIComponent(token)}`)
      assert.equal(told.status, 303)
      const target = new URL(told.headers.get('location') ?? '')
      assert.deepEqual([target.origin, target.pathname, target.hash], ['http://localhost:3000', '/verify-email', ''])
      assert.deepEqual([...target.searchParams], [['token', token]])
    }
    for (const name of ['next', 'redirect', 'redirect_uri', 'return_to', 'url']) {
      assert.equal((await app.get(`/verify-email?token=x&${name}=https://evil.test`)).code, 'input_invalid', name)
    }
  })

  test('line breaks in the token start no header', async () => {
    await using app = await testApp({ engine })
    await using wire = await listen(app)
    for (const token of [
      '%0d%0aLocation:%20https://evil.test',
      '%0aSet-Cookie:%20gatelodge=x',
      '%E5%98%8A%E5%98%8DSet-Cookie:x',
      '%00',
    ]) {
      const [answer] = await wire.send(request(`GET /api/v1/auth/verify-email?token=${token}`))
      assert.ok(answer?.status === 303 || answer?.status === 400, token)
      assert.equal(answer?.headers.has('set-cookie'), false)
      const locations = answer?.headers.get('location') ?? []
      assert.ok(locations.length <= 1)
      for (const location of locations) assert.equal(new URL(location).origin, 'http://localhost:3000')
    }
  })

  test('a front end with a path keeps its own', async () => {
    await using app = await testApp({ engine, env: { GATELODGE_FRONTEND_URL: 'http://localhost:5173' } })
    const told = await app.get('/verify-email?token=//evil.test')
    assert.equal(told.headers.get('location'), 'http://localhost:5173/verify-email?token=%2F%2Fevil.test')
  })

  test('no page leads away or links away, whatever its address or its form names', async () => {
    await using app = await testApp({ engine, env: { GATELODGE_RATE_LIMITS: 'off' } })
    const person = await app.user()
    const cookie = await app.cookie(person)
    for (const route of pages.filter(({ method }) => method === 'GET')) {
      for (const target of evil) {
        const query = ['next', 'redirect', 'return_to', 'url', 'token'].map(
          (name) => `${name}=${encodeURIComponent(target)}`,
        )
        for (const headers of [{}, { cookie: `gatelodge=${cookie}`, 'sec-fetch-dest': 'document' }]) {
          const told = await askPage(app, 'GET', `${concrete(route)}?${query.join('&')}`, headers)
          const location = new URL(told.headers.get('location') ?? '/', 'http://localhost:3000')
          assert.equal(location.origin, 'http://localhost:3000', `${route.path} ${target}`)
          const html = await told.text()
          for (const [, href = ''] of html.matchAll(/(?:href|action|src)="([^"]*)"/g))
            assert.equal(
              new URL(href, 'http://localhost:3000').origin,
              'http://localhost:3000',
              `${route.path} ${href}`,
            )
        }
      }
    }

    for (const next of evil.filter((target) => !target.startsWith('.') && !/^[@x]|^\/%/.test(target))) {
      const visitor = new Visitor(app)
      const { form_token = '' } = (await visitor.get('/login')).form('/login')
      // The visitor fails on a redirect to another origin.
      const fields = { identifier: person.email, password: person.password, next, form_token }
      assert.equal((await visitor.post('/login', fields)).at, '/account', next)
      const page = await visitor.get('/verify-email')
      const { form_token: own = '' } = page.form('/language')
      const chosen = await visitor.post('/language', { language: 'fr', next, form_token: own })
      assert.equal(chosen.at, '/account', next)
    }
  })
})
