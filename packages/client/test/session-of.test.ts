import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forEachDatabase, testApp } from '../../gatelodge/test/support/app.ts'
import { AuthServiceUnavailable } from '../src/errors.ts'
import { sessionOf } from '../src/request.ts'
import { fetchOf } from './support/around.ts'
import { listen } from './support/listen.ts'

const issuer = 'http://localhost:3000'
const page = (cookie?: string) =>
  new Request('http://localhost:3000/home', {
    headers: { ...(cookie !== undefined && { cookie }), authorization: 'Bearer x' },
  })

forEachDatabase('sessionOf', (engine) => {
  test('a page finds the signed-in user by the session cookie, and forwards nothing else', async () => {
    await using app = await testApp({ engine })
    const network = fetchOf(app)
    const person = await app.user()
    const cookie = await app.cookie(person)
    const request = page(`theme=dark; gatelodge=${cookie}; gatelodge-device=d; xgatelodge=x; gatelodge2=y`)
    const found = await sessionOf(request, { issuer, fetch: network.fetch })
    assert.deepEqual([found?.user.id, found?.session.current], [person.id, true])
    assert.deepEqual(
      network.asked.map(({ url, headers }) => [url, headers.get('cookie'), headers.get('authorization')]),
      [['http://localhost:3000/api/v1/auth/session', `gatelodge=${cookie}`, null]],
    )
  })

  test('a page over https finds the user by the cookie with the https name', async () => {
    const url = 'https://auth.example.com'
    await using app = await testApp({
      engine,
      env: { GATELODGE_PUBLIC_URL: url, GATELODGE_SMTP_URL: 'smtp://127.0.0.1:1?tls=never' },
    })
    const { fetch } = fetchOf(app)
    const seen: (string | null)[] = []
    const options = {
      issuer: url,
      fetch: (input: string | Request, init?: RequestInit) => {
        seen.push(new Headers(init?.headers).get('cookie'))
        return fetch(input, init)
      },
    }
    assert.equal(await sessionOf(page('__Host-gatelodge=a.b; gatelodge=planted'), options), null)
    assert.equal(
      await sessionOf(page('gatelodge=planted'), options),
      null,
      'a cookie that a neighbour may have planted',
    )
    assert.deepEqual(seen, ['__Host-gatelodge=a.b; gatelodge=planted', 'gatelodge=planted'])
  })

  test('a cookie name preceded by a byte other than whitespace is another name', async () => {
    const asked: unknown[] = []
    const fetch = async (input: unknown) => {
      asked.push(input)
      return new Response()
    }
    for (const byte of ['\xa0', '\x85', '\x0b', '\x0c'])
      for (const name of ['gatelodge', '__Host-gatelodge'])
        assert.equal(await sessionOf(page(`a=b; ${byte}${name}=planted`), { issuer, fetch }), null)
    assert.deepEqual(asked, [])
  })

  test('no user is signed in without a cookie, which causes no request, or with an ended session', async () => {
    await using app = await testApp({ engine })
    const network = fetchOf(app)
    const options = { issuer, fetch: network.fetch }
    for (const cookie of [undefined, '', 'theme=dark', 'gatelodge', 'gatelodge-device=x', 'Gatelodge=x'])
      assert.equal(await sessionOf(page(cookie), options), null)
    assert.equal(network.asked.length, 0)

    const person = await app.user()
    const cookie = await app.cookie(person)
    await app.post('/signout', {}, { cookie })
    assert.equal(await sessionOf(page(`gatelodge=${cookie}`), options), null)
    assert.equal(network.asked.length, 1)
  })

  test('the session request uses only options that Cloudflare Workers accept, and a redirect is no answer', async () => {
    await using app = await testApp({ engine })
    const network = fetchOf(app)
    const person = await app.user()
    const cookie = `gatelodge=${await app.cookie(person)}`
    assert.equal((await sessionOf(page(cookie), { issuer, fetch: network.fetch }))?.user.id, person.id)
    assert.equal(network.asked[0]?.request.redirect, 'manual')

    const redirect = () => Object.defineProperty(Response.error(), 'type', { value: 'opaqueredirect' })
    await assert.rejects(sessionOf(page(cookie), { issuer, fetch: async () => redirect() }), AuthServiceUnavailable)
  })
})

test('a failure never counts as signed out, and never as signed in', async () => {
  const user = { id: '1', email: 'ada@example.com' }
  const answers: Record<string, () => Response | Promise<Response>> = {
    '500': () => Response.json({ user, session: { id: '1' } }, { status: 500 }),
    '429': () => new Response('', { status: 429 }),
    'a 401 of a proxy': () => new Response('Who are you?', { status: 401 }),
    'an HTML page': () => new Response('<h1>Hello</h1>'),
    'no user': () => Response.json({ session: { id: '1' } }),
    'no session': () => Response.json({ user }),
    'no connection': () => Promise.reject(new TypeError('fetch failed')),
  }
  for (const [name, answer] of Object.entries(answers)) {
    const asking = sessionOf(page('gatelodge=a.b'), { issuer, fetch: async () => answer() })
    await assert.rejects(asking, AuthServiceUnavailable, name)
  }
  await using silent = await listen(() => {})
  const waiting = sessionOf(page('gatelodge=a.b'), { issuer: silent.origin, timeout: 100 })
  await assert.rejects(waiting, AuthServiceUnavailable)
})
