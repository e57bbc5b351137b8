import assert from 'node:assert/strict'
import { test } from 'node:test'
import { routes } from '../../src/routes.ts'
import { forEachDatabase, testApp } from '../support/app.ts'
import { askEveryRoute, concrete } from '../support/attack.ts'

const foreign = [
  'https://evil.test',
  'null',
  'https://good.evil.test',
  'https://app.example.evil.test',
  'https://evil-app.example',
  'https://evilapp.example',
  'http://app.example',
  'https://app.example:8443',
  'https://app.example.',
  'https://app.example/',
  'https://APP.example',
  'https://app.example, https://evil.test',
  '*',
  '',
]

function corsOf(headers: Headers): string[] {
  return [...headers.keys()].filter((name) => name.startsWith('access-control-'))
}

forEachDatabase('39 CORS', (engine) => {
  test('no route answers an origin that is not allowed, not even in a preflight or a failure', async () => {
    for (const env of [{}, { GATELODGE_ALLOWED_ORIGINS: 'https://app.example' }]) {
      await using app = await testApp({ engine, env: { ...env, GATELODGE_RATE_LIMITS: 'off' } })
      const cookie = await app.cookie(await app.user())
      for (const origin of foreign) {
        const told = await askEveryRoute(app, ({ method }) =>
          method === 'GET' ? { cookie, headers: { origin } } : { headers: { origin } },
        )
        for (const { name, headers } of told) assert.deepEqual(corsOf(headers), [], `${name} ${origin}`)
        for (const path of new Set(routes.filter(({ everyMethod }) => !everyMethod).map(concrete))) {
          const asked = {
            origin,
            'access-control-request-method': 'POST',
            'access-control-request-headers': 'authorization',
          }
          const preflight = await app.ask('OPTIONS', path, undefined, { headers: asked })
          assert.deepEqual([preflight.status, corsOf(preflight.headers)], [204, []], `${path} ${origin}`)
        }
        assert.deepEqual(corsOf((await app.get('/nowhere', { headers: { origin } })).headers), [])
      }
    }
  })

  test('the allowed origin is answered as itself, with Vary, on success and failure alike', async () => {
    await using app = await testApp({ engine, env: { GATELODGE_ALLOWED_ORIGINS: 'https://app.example' } })
    const cookie = await app.cookie(await app.user())
    const headers = { origin: 'https://app.example' }
    for (const told of [
      await app.get('/session', { cookie, headers }),
      await app.get('/session', { headers }),
      await app.post('/signin', {}, { headers }),
    ]) {
      assert.equal(told.headers.get('access-control-allow-origin'), 'https://app.example')
      assert.equal(told.headers.get('access-control-allow-credentials'), 'true')
      assert.match(told.headers.get('vary') ?? '', /\bOrigin\b/i)
    }
    const preflight = await app.ask('OPTIONS', '/signin', undefined, {
      headers: { ...headers, 'access-control-request-headers': 'x-evil' },
    })
    assert.doesNotMatch(preflight.headers.get('access-control-allow-headers') ?? '', /evil|\*/)
  })
})
