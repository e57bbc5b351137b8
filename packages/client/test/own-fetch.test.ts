import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { forEachDatabase, type TestApp, testApp } from '../../gatelodge/test/support/app.ts'
import { type ClientOptions, createClientOn } from '../src/client.ts'
import { fetchOf, type RecordedRequest, tab } from './support/around.ts'
import { listen } from './support/listen.ts'

const api = 'https://api.example.com'
const afterAccessToken = 16 * 60_000

/** Creates a client, together with an API of the app that responds as the test says. */
async function open(
  app: TestApp,
  answer: (asked: RecordedRequest) => Response | Promise<Response>,
  options: ClientOptions = {},
) {
  const network = fetchOf(app)
  network.instead = (asked) => (asked.url.startsWith(api) ? answer(asked) : undefined)
  const clock = { now: app.clock.now() }
  const platform = tab({ fetch: network.fetch, now: () => clock.now })
  const client = createClientOn(platform, { session: 'token', storage: 'memory', origins: [api], ...options })
  const { email, password } = await app.user()
  if (options.session !== 'cookie') await client.signIn({ email, password })
  network.asked.length = 0
  return { client, network, clock, person: { email, password } }
}

const ok = () => Response.json({ ok: true })
const bearer = ({ headers }: RecordedRequest) => headers.get('authorization')

forEachDatabase('requests of the app’s own', (engine) => {
  // Shared by all tests: each uses its own users.
  let app: TestApp
  before(async () => {
    app = await testApp({ engine })
  })
  after(() => app[Symbol.asyncDispose]())

  test('requests to the app’s own APIs carry the token, its own headers and its method', async () => {
    const { client, network } = await open(app, ok)
    const response = await client.fetch(`${api}/orders`, { method: 'POST', headers: { 'x-own': '1' }, body: '{}' })
    assert.deepEqual(await response.json(), { ok: true })
    await client.fetch(new URL(`${api}/orders?of=me`))
    await client.fetch(new Request(`${api}/orders`, { method: 'PUT', headers: { 'x-own': '2' }, body: 'x' }))
    assert.deepEqual(
      network.asked.map((asked) => [asked.method, asked.headers.get('x-own'), /^Bearer ./.test(bearer(asked) ?? '')]),
      [
        ['POST', '1', true],
        ['GET', null, true],
        ['PUT', '2', true],
      ],
    )
  })

  test('without a sign-in the request is sent without a token', async () => {
    const { client, network } = await open(app, ok)
    await client.signOut()
    network.asked.length = 0
    assert.equal((await client.fetch(`${api}/public`)).status, 200)
    assert.deepEqual(network.asked.map(bearer), [null])
  })

  test('no token and no request is sent to an origin that is not listed', async () => {
    const { client, network } = await open(app, ok)
    for (const foreign of [
      'https://evil.example/',
      'http://api.example.com/',
      'https://api.example.com:444/',
      'https://api.example.com.evil.example/',
      'https://api.example.com@evil.example/',
      'https://evil.example\\@api.example.com/',
      '//evil.example/',
      '/\\evil.example/',
      'http://localhost:3001/',
      'data:text/plain,hello',
      'file:///etc/passwd',
      'blob:https://api.example.com/1',
      'javascript:1',
      new URL('https://evil.example/'),
      new Request('https://evil.example/'),
    ]) {
      await assert.rejects(client.fetch(foreign), TypeError, String(foreign))
    }
    assert.equal(network.asked.length, 0)
  })

  test('from a page without an origin, nothing is sent to another URL without one', async () => {
    const network = fetchOf(app)
    const client = createClientOn(tab({ fetch: network.fetch, now: app.clock.now, href: 'file:///app.html' }), {
      baseUrl: 'http://localhost:3000',
      session: 'token',
    })
    const { email, password } = await app.user()
    await client.signIn({ email, password })
    network.asked.length = 0
    for (const foreign of ['file:///etc/passwd', 'data:text/plain,x'])
      await assert.rejects(client.fetch(foreign), TypeError)
    assert.equal(network.asked.length, 0)
    assert.ok(await client.me())
  })

  test('a redirect to a foreign origin does not receive the token', async () => {
    await using evil = await listen((_request, response) => response.end('{}'))
    await using own = await listen((_request, response) => response.writeHead(302, { location: evil.origin }).end())
    const network = fetchOf(app)
    const platform = tab({
      now: app.clock.now,
      fetch: (input, init) =>
        String(input).startsWith('http://localhost:3000') ? network.fetch(input, init) : fetch(input, init),
    })
    const client = createClientOn(platform, { session: 'token', origins: [own.origin] })
    const { email, password } = await app.user()
    await client.signIn({ email, password })
    await client.fetch(`${own.origin}/x`)
    assert.match(own.requests[0]?.headers.authorization ?? '', /^Bearer /)
    assert.equal(evil.requests.length, 1)
    assert.equal(evil.requests[0]?.headers.authorization, undefined)
  })

  test('after a 401 the request is repeated once, with the next token and the same body', async () => {
    const bodies: string[] = []
    const tokens: (string | null)[] = []
    const { client, network, clock } = await open(app, async (asked) => {
      bodies.push(await asked.request.text())
      tokens.push(bearer(asked))
      return tokens.length < 2 ? new Response('no', { status: 401 }) : ok()
    })
    clock.now += 1
    const response = await client.fetch(`${api}/orders`, { method: 'POST', body: 'two socks' })
    assert.equal(response.status, 200)
    assert.deepEqual(bodies, ['two socks', 'two socks'])
    assert.equal(new Set(tokens).size, 2)
    assert.equal(network.count('/api/v1/auth/refresh'), 1)
  })

  test('an API that rejects every token is called at most twice', async () => {
    const { client, network } = await open(app, () => new Response('no', { status: 401 }))
    const response = await client.fetch(`${api}/orders`)
    assert.deepEqual([response.status, await response.text()], [401, 'no'])
    assert.equal(network.count('/orders'), 2)
  })

  test('a 401 after the session ended is returned to the caller, with its body', async () => {
    const { client, network, person } = await open(app, () => new Response('no', { status: 401 }))
    await app.delete('/me/sessions', { cookie: await app.cookie({ ...person, username: '', id: '' }) })
    const response = await client.fetch(`${api}/orders`)
    assert.deepEqual([response.status, await response.text()], [401, 'no'])
    assert.equal(network.count('/orders'), 1)
    assert.equal(await client.session(), null)
  })

  test('a stream body is sent once, and a token that is due is refreshed before', async () => {
    const bodies: string[] = []
    const { client, network, clock } = await open(app, async ({ request }) => {
      bodies.push(await request.text())
      return new Response('no', { status: 401 })
    })
    const stream = () => new Blob(['a film']).stream()
    const send = { method: 'POST', duplex: 'half' } as const
    const asRequest = () => new Request(`${api}/films`, { method: 'POST', body: 'a film' })
    assert.equal((await client.fetch(`${api}/films`, { ...send, body: stream() })).status, 401)
    assert.equal((await client.fetch(asRequest())).status, 401)
    assert.equal(network.count('/api/v1/auth/refresh'), 0)
    clock.now += afterAccessToken
    assert.equal((await client.fetch(`${api}/films`, { ...send, body: stream() })).status, 401)
    assert.equal(network.count('/api/v1/auth/refresh'), 1)
    assert.deepEqual(bodies, ['a film', 'a film', 'a film'])
  })

  test('bodies that can be read again are sent again after a 401', async () => {
    let refuse = true
    const bodies: number[] = []
    const { client } = await open(app, async ({ request }) => {
      bodies.push((await request.arrayBuffer()).byteLength)
      refuse = !refuse
      return refuse ? ok() : new Response('no', { status: 401 })
    })
    const form = new FormData()
    form.append('a', 'b')
    for (const body of [
      new Uint8Array(3),
      new Uint8Array(3).buffer,
      new Blob(['abc']),
      new URLSearchParams({ a: 'b' }),
      form,
    ])
      assert.equal((await client.fetch(`${api}/things`, { method: 'POST', body })).status, 200)
    assert.deepEqual(bodies.slice(0, 8), [3, 3, 3, 3, 3, 3, 3, 3])
    assert.equal(bodies.length, 10)
  })

  test('in cookie mode requests are sent with cookies, only to the same origins', async () => {
    const seen: (string | undefined)[] = []
    const { client } = await open(app, ok, { session: 'cookie' })
    const platform = tab({
      now: app.clock.now,
      async fetch(_input, init) {
        seen.push(init?.credentials)
        return ok()
      },
    })
    const cookies = createClientOn(platform, { origins: [api] })
    await cookies.fetch(`${api}/x`)
    await cookies.fetch('/x', { credentials: 'omit' })
    assert.deepEqual(seen, ['include', 'omit'])
    await assert.rejects(client.fetch('https://evil.example'), TypeError)
  })

  test('a Request without a body is sent again, whatever its method, if the browser reveals that it has none', async () => {
    let refuse = true
    const { client, network } = await open(app, () => {
      refuse = !refuse
      return refuse ? ok() : new Response('no', { status: 401 })
    })
    for (const method of ['DELETE', 'POST', 'GET'])
      assert.equal((await client.fetch(new Request(`${api}/things`, { method }))).status, 200)
    assert.equal(network.count('/things'), 6)

    const untold = (method: string) => {
      const request = new Request(`${api}/others`, { method })
      return Object.defineProperty(request, 'body', { value: undefined }) // as in Firefox
    }
    assert.equal((await client.fetch(untold('GET'))).status, 200)
    assert.equal((await client.fetch(untold('DELETE'))).status, 401)
    assert.equal(network.count('/others'), 3)
  })
})

test('an invalid origin is rejected when the client is created', () => {
  const platform = tab({ fetch: async () => ok(), now: () => 0 })
  assert.throws(() => createClientOn(platform, { origins: ['api.example.com'] }), TypeError)
})
