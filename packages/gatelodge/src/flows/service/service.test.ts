import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { forEachDatabase, testApp } from '../../../test/support/app.ts'
import { assets, stylesheet } from '../../pages/assets.ts'

forEachDatabase('service', (engine) => {
  test('the process and its work can be watched', async () => {
    await using app = await testApp({ engine })
    assert.deepEqual((await app.get('/healthz')).json, { status: 'ok' })
    assert.deepEqual((await app.get('/readyz')).json, { status: 'ok', database: 'ok', mail: 'ok' })
  })

  test('readiness fails when the database is gone, but the process stays up', async () => {
    const app = await testApp({ engine })
    await app.composition.close()
    const told = await app.get('/readyz')
    assert.deepEqual([told.status, told.code, told.headers.get('retry-after')], [503, 'service_unavailable', '5'])
    assert.equal((await app.get('/healthz')).status, 200)
  })

  test('the OpenAPI document and the docs page name every route, and the document is printed once', async () => {
    await using app = await testApp({ engine })
    const first = await app.get('/openapi.json')
    assert.equal(first.json.openapi, '3.1.0')
    assert.equal((await app.get('/openapi.json')).text, first.text)
    const page = await app.get('/docs')
    assert.match(
      page.headers.get('content-security-policy') ?? '',
      /default-src 'none'; script-src 'self'; style-src 'self'/,
    )
    for (const path of Object.keys(first.json.paths)) assert.ok(page.text.includes(path.split('{')[0] ?? ''), path)
  })

  test('files of the pages are served under a name by content, for ever', async () => {
    await using app = await testApp({ engine })
    for (const asset of assets) {
      const told = await app.get(asset.path)
      assert.equal(told.status, 200)
      assert.equal(told.headers.get('content-type'), asset.contentType)
      assert.match(told.headers.get('cache-control') ?? '', /immutable/)
      assert.equal(told.headers.get('content-encoding'), null)
      assert.equal(told.headers.get('vary'), 'accept-encoding')
    }
    const request = new Request(`http://localhost:3000${stylesheet.path}`, {
      headers: { 'accept-encoding': 'br, gzip' },
    })
    const packed = await app.composition.fetch(request, { peer: '192.0.2.1' })
    assert.equal(packed.headers.get('content-encoding'), 'gzip')
    assert.deepEqual(gunzipSync(await packed.arrayBuffer()), Buffer.from(stylesheet.body)) // a Response of the HTTP server's library has no `bytes`
    assert.match(stylesheet.path, /\.[0-9a-f]{8,}\.css$|\.[\w-]{8,}\.css$/)
    assert.equal((await app.get('/assets/..%2fpackage.json')).status, 404)
    assert.equal((await app.get('/assets/none.css')).code, 'not_found')
  })

  test('documents and files name their version, and a client that has it does not get it again', async () => {
    await using app = await testApp({ engine })
    const ask = (path: string, headers: Record<string, string>) =>
      app.composition.fetch(new Request(`http://localhost:3000${path}`, { headers }), { peer: '192.0.2.1' })
    const tags = new Set<string>()
    for (const path of ['/openapi.json', '/docs', stylesheet.path]) {
      for (const accepted of ['identity', 'gzip']) {
        const whole = await ask(path, { 'accept-encoding': accepted })
        const etag = whole.headers.get('etag') ?? ''
        assert.match(etag, /^"[^"]+"$/)
        tags.add(etag)
        for (const named of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
          const told = await ask(path, { 'accept-encoding': accepted, 'if-none-match': named })
          assert.deepEqual([told.status, await told.text(), told.headers.get('etag')], [304, '', etag], named)
          assert.equal(told.headers.get('cache-control'), whole.headers.get('cache-control'))
        }
        for (const named of ['"other"', etag.slice(1, -1), `${etag.slice(0, -1)}x"`]) {
          const told = await ask(path, { 'accept-encoding': accepted, 'if-none-match': named })
          assert.deepEqual([told.status, await told.text()], [200, await whole.clone().text()], named)
        }
      }
    }
    assert.equal(tags.size, 4, 'packed and plain bytes of a file are two versions')
  })

  test('security.txt is the operator’s contact, or nothing', async () => {
    await using without = await testApp({ engine })
    assert.equal((await without.get('/.well-known/security.txt')).status, 404)

    await using app = await testApp({ engine, env: { GATELODGE_SECURITY_CONTACT: 'mailto:security@example.com' } })
    const { text } = await app.get('/.well-known/security.txt')
    assert.match(text, /^Contact: mailto:security@example.com\nExpires: 2027-05-\d\dT.*Z\nCanonical: http/)
  })

  test('unknown paths and methods get a problem', async () => {
    await using app = await testApp({ engine })
    assert.deepEqual((await app.get('/nowhere')).code, 'not_found')
    for (const path of ['/api/v1/auth/signin/', '/api/v1/auth//signin', '/API/V1/AUTH/SIGNIN']) {
      assert.equal((await app.post(path)).status, 404, path)
    }
    const told = await app.get('/signin')
    assert.deepEqual([told.status, told.code, told.headers.get('allow')], [405, 'method_not_allowed', 'POST'])
    assert.equal((await app.ask('HEAD', '/healthz')).text, '')
  })
})
