import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forEachDatabase, testApp } from '../support/app.ts'
import { askEveryRoute } from '../support/attack.ts'
import { Visitor } from '../support/visitor.ts'
import { listen, request } from '../support/wire.ts'

forEachDatabase('40 caches', (engine) => {
  test('every answer of every route is no-store, signed in or not, but for the files that are the same for all', async () => {
    await using app = await testApp({ engine })
    const { access } = await app.tokens(await app.user())
    for (const ask of [{}, { bearer: access }, { bearer: 'x' }]) {
      for (const { name, headers } of await askEveryRoute(app, () => ask)) {
        assert.equal(headers.get('cache-control'), 'no-store', name)
      }
    }
    const [, asset = ''] = /href="(\/assets\/[^"]+)"/.exec((await app.get('/docs')).text) ?? []
    const file = await app.get(asset)
    assert.deepEqual([file.status, file.setCookies], [200, []])
    assert.match(file.headers.get('cache-control') ?? '', /immutable/)
  })

  test('a private path with the end of a static file is nothing, and nothing to keep', async () => {
    await using app = await testApp({ engine })
    const { access } = await app.tokens(await app.user())
    await using wire = await listen(app)
    for (const path of [
      '/me/x.css',
      '/me.css',
      '/me/export/x.js',
      '/me%2fx.css',
      '/me;x.css',
      '/session/..%2fx.css',
      '/me%00.css',
      '/me%3fx.css',
      '/me%23x.css',
      '/session.json',
    ]) {
      const [answer] = await wire.send(request(`GET /api/v1/auth${path}`, { authorization: `Bearer ${access}` }))
      assert.deepEqual([answer?.status, answer?.headers.get('cache-control')], [404, ['no-store']], path)
    }
    for (const path of [
      '/assets/../api/v1/auth/me',
      '/assets/..%2fapi%2fv1%2fauth%2fme',
      '/assets/%2e%2e/api/v1/auth/me',
      '/assets//etc/passwd',
      '/assets/..%5cx',
      '/assets/app.css%00',
    ]) {
      const [answer] = await wire.send(request(`GET ${path}`, { authorization: `Bearer ${access}` }))
      assert.deepEqual(answer?.headers.get('cache-control'), ['no-store'], path)
    }
  })

  test('responses that depend on a cookie are no-store whatever the Authorization header is, including redirects and rejected forms', async () => {
    await using app = await testApp({ engine })
    const cookie = await app.cookie(await app.user())
    for (const authorization of ['Basic eDp5', 'Digest username="x"', 'Negotiate YII=', 'Bearer x', '']) {
      for (const path of ['/forward-auth', '/forward-auth?redirect', '/me/export', '/account', '/login']) {
        const told = await app.get(path, { cookie, headers: { ...(authorization !== '' && { authorization }) } })
        assert.equal(told.headers.get('cache-control'), 'no-store', `${path} ${authorization}`)
      }
    }
    const visitor = new Visitor(app)
    const refused = await visitor.post('/login', { identifier: 'x', password: 'x' }, { origin: 'null' })
    assert.deepEqual([refused.status, refused.headers.get('cache-control')], [403, 'no-store'])
  })
})
