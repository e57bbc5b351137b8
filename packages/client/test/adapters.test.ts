import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { serve } from '@hono/node-server'
import express from 'express'
import fastify from 'fastify'
import { Hono } from 'hono'
import * as onExpress from '../src/express.ts'
import * as onFastify from '../src/fastify.ts'
import type { User } from '../src/generated.ts'
import { authenticate } from '../src/guard.ts'
import * as onHono from '../src/hono.ts'
import { authorizeRequest, withAuth } from '../src/request.ts'
import type { Auth, ResourceServer } from '../src/server.ts'
import { clientClaims, issuer, openResourceServer, signed, signingKey, userClaims } from './support/issuer.ts'

const key = signingKey('EdDSA', 'key')
const skip = (method: string, path: string) => method === 'GET' && path === '/public'

/** The caller, as every handler of these tests returns it. */
const seen = (auth: Auth | null) => ({ sub: auth?.sub ?? null })

/** A framework with four routes: /me for users, /public for everyone, /orders for a scope, /admin for a role. */
type Framework = (server: ResourceServer, t: TestContext) => Promise<string>

const frameworks: Record<string, Framework> = {
  async express(server, t) {
    const app = express()
    const { requireAuth, authOf } = onExpress
    const nested = express.Router()
    nested.get('/', (request, response) => void response.json(seen(authOf(request))))
    app.use('/orders', requireAuth(server, { scope: 'orders:read orders:write' }), nested)
    app.use(requireAuth(server, { skip }))
    app.all('/me', (request, response) => void response.json(seen(authOf(request))))
    app.get('/public', (request, response) => void response.json(seen(authOf(request))))
    app.get('/admin', requireAuth(server, { role: 'administrator' }), (request, response) => {
      response.json(seen(authOf(request)))
    })
    const listening = app.listen(0, '127.0.0.1')
    await once(listening, 'listening')
    t.after(() => listening.close())
    return originOf(listening.address())
  },

  async fastify(server, t) {
    const app = fastify()
    const { requireAuth, authOf } = onFastify
    app.register(async (people) => {
      people.addHook('onRequest', requireAuth(server, { skip }))
      people.all('/me', async (request) => seen(authOf(request)))
      people.get('/public', async (request) => seen(authOf(request)))
    })
    app.get('/orders', { onRequest: requireAuth(server, { scope: 'orders:read orders:write' }) }, async (request) =>
      seen(authOf(request)),
    )
    app.get('/admin', { onRequest: requireAuth(server, { role: 'administrator' }) }, async (request) =>
      seen(authOf(request)),
    )
    await app.listen({ port: 0, host: '127.0.0.1' })
    t.after(() => app.close())
    return originOf(app.server.address())
  },

  async hono(server, t) {
    const app = new Hono<{ Variables: onHono.AuthVariables }>()
    const { requireAuth } = onHono
    app.get('/orders', requireAuth(server, { scope: 'orders:read orders:write' }), (c) => c.json(seen(c.get('auth'))))
    app.use(requireAuth(server, { skip }))
    app.all('/me', (c) => c.json(seen(c.get('auth'))))
    app.get('/public', (c) => c.json(seen(c.get('auth'))))
    app.get('/admin', requireAuth(server, { role: 'administrator' }), (c) => c.json(seen(c.get('auth'))))
    return listen(app.fetch, t)
  },

  async request(server, t) {
    const handler = (_request: Request, auth: Auth | null) => Response.json(seen(auth))
    const routes: Record<string, (request: Request) => Promise<Response>> = {
      '/me': withAuth(server, handler),
      '/public': withAuth(server, handler, { skip }),
      '/orders': withAuth(server, handler, { scope: 'orders:read orders:write' }),
      async '/admin'(request) {
        const { auth, response } = await authorizeRequest(server, request, { role: 'administrator' })
        return response ?? handler(request, auth)
      },
    }
    return listen((request) => routes[new URL(request.url).pathname]?.(request) ?? new Response('', { status: 404 }), t)
  },
}

async function listen(fetch: (request: Request) => Response | Promise<Response>, t: TestContext): Promise<string> {
  const server = serve({ fetch, port: 0, hostname: '127.0.0.1' })
  await once(server, 'listening')
  t.after(() => server.close())
  return originOf(server.address())
}

function originOf(address: AddressInfo | string | null): string {
  assert.ok(address !== null && typeof address === 'object')
  return `http://127.0.0.1:${address.port}`
}

for (const [name, open] of Object.entries(frameworks)) {
  test(`${name}: valid tokens are accepted, all others are rejected with the reason`, async (t) => {
    const { server, state } = openResourceServer([key])
    const origin = await open(server, t)
    const ask = async (path: string, authorization?: string, method = 'GET') => {
      const response = await fetch(origin + path, { method, headers: authorization ? { authorization } : {} })
      const body = (await response.json()) as Record<string, unknown>
      return { response, body, challenge: response.headers.get('www-authenticate') }
    }
    const user = `Bearer ${signed(key, userClaims())}`
    const administrator = `bearer ${signed(key, { ...userClaims(), roles: ['administrator'] })}`
    const client = `Bearer ${signed(key, clientClaims())}`
    const reader = `Bearer ${signed(key, { ...clientClaims(), scope: 'orders:read' })}`

    assert.deepEqual((await ask('/me?token=x', user)).body, { sub: userClaims().sub })
    assert.deepEqual((await ask('/orders', client)).body, { sub: 'client_billing' })
    assert.deepEqual((await ask('/admin', administrator)).body, { sub: userClaims().sub })
    assert.deepEqual((await ask('/public?x')).body, { sub: null })

    for (const header of [undefined, 'Basic eDp5', 'Bearer', 'Bearer a b']) {
      const { response, body, challenge } = await ask('/me', header)
      assert.deepEqual([response.status, body.code, challenge], [401, 'not_authenticated', `Bearer realm="${issuer}"`])
      assert.match(response.headers.get('content-type') ?? '', /^application\/problem\+json(?:; charset=utf-8)?$/)
      assert.equal(response.headers.get('cache-control'), 'no-store')
    }
    for (const token of ['x', `${user.slice(7)}x`, signed(signingKey('EdDSA', 'key'), userClaims())]) {
      const { response, body, challenge } = await ask('/me', `Bearer ${token}`, 'POST')
      assert.deepEqual([response.status, body.code], [401, 'token_invalid'])
      assert.equal(challenge, `Bearer realm="${issuer}", error="invalid_token"`)
      assert.deepEqual(Object.keys(body), ['type', 'title', 'status', 'code', 'detail'])
    }
    const scoped = `Bearer realm="${issuer}", error="insufficient_scope", scope="orders:read orders:write"`
    for (const header of [reader, user]) {
      const { response, body, challenge } = await ask('/orders', header)
      assert.deepEqual([response.status, body.code, challenge], [403, 'insufficient_scope', scoped])
    }
    // Programs may do what scopes allow: a route without a scope is only for users.
    for (const [path, header] of [
      ['/me', client],
      ['/admin', client],
      ['/admin', user],
    ] as const) {
      const { response, challenge } = await ask(path, header)
      assert.deepEqual([response.status, challenge], [403, `Bearer realm="${issuer}", error="insufficient_scope"`])
    }

    state.now += 3_600_000
    state.instead = () => new Response('', { status: 503, headers: { 'retry-after': '30' } })
    const { response, body } = await ask('/me', `Bearer ${signed(signingKey('EdDSA', 'new'), userClaims(state.now))}`)
    assert.deepEqual(
      [response.status, body.code, response.headers.get('retry-after')],
      [503, 'service_unavailable', '30'],
    )
    assert.equal((await fetch(`${origin}/me`, { method: 'HEAD' })).status, 401)
  })

  test(`${name}: a policy that throws rejects every request`, async (t) => {
    const { server } = openResourceServer([key])
    const breaking = new Proxy(server, {
      get: (target, name, receiver) =>
        name === 'authenticateRequest'
          ? () => Promise.reject(new Error('unforeseen'))
          : Reflect.get(target, name, receiver),
    })
    const origin = await open(breaking, t)
    t.mock.method(console, 'error', () => {})
    const response = await fetch(`${origin}/me`, { headers: { authorization: 'Bearer x' } })
    assert.equal(response.status, 500)
  })
}

test('an API token is accepted where the route requires a scope that it has, and nowhere else', async () => {
  const { server } = openResourceServer([key])
  const { sid: _sid, roles: _roles, ...claims } = userClaims()
  const user = { id: claims.sub, email: 'ada@example.com', roles: ['administrator'] } as unknown as User
  const auth: Auth = { kind: 'api_token', ...claims, scope: 'orders:read', user }
  const asked = { ...server, authenticateRequest: async () => auth }
  const request = { method: 'GET', path: '/', authorization: 'Bearer gatelodge_pat_x.y' }
  assert.equal((await authenticate(asked, { scope: 'orders:read' }, request)).auth, auth)
  for (const options of [{}, { scope: ' ' }, { scope: 'orders' }, { role: 'administrator', scope: 'orders:read' }])
    assert.equal((await authenticate(asked, options, request)).refusal?.status, 403)
})

test('signed-in users are accepted without the scope only where the route allows it', async () => {
  const { server } = openResourceServer([key])
  const auth: Auth = { kind: 'user', ...userClaims(), scope: '' }
  const asked = { ...server, authenticateRequest: async () => auth }
  const request = { method: 'GET', path: '/', authorization: 'Bearer x' }
  assert.equal((await authenticate(asked, { scope: 'orders:read' }, request)).refusal?.status, 403)
  assert.equal((await authenticate(asked, { scope: 'orders:read', orUser: true }, request)).auth, auth)
  const role = { scope: 'orders:read', orUser: true, role: 'unassigned' } as const
  assert.equal((await authenticate(asked, role, request)).refusal?.status, 403)

  const client: Auth = { ...clientClaims(), kind: 'client', scope: 'else' }
  const byClient = { ...server, authenticateRequest: async () => client }
  assert.equal((await authenticate(byClient, { scope: 'orders:read', orUser: true }, request)).refusal?.status, 403)
})

test('a route without a guard does not look like one called without a user', () => {
  assert.throws(() => onExpress.authOf({}), TypeError)
  assert.throws(() => onFastify.authOf({}), TypeError)
})

test('properties that other code writes to a request do not replace a guard', async (t) => {
  const { server } = openResourceServer([key])
  const stranger = { sub: 'user-1', kind: 'user', roles: ['administrator'] }
  const app = express()
  app.get('/forgotten', (request, response) => {
    Object.assign(request, { auth: stranger }) // as express-jwt and express-basic-auth do
    response.json(seen(onExpress.authOf(request)))
  })
  app.get('/guarded', onExpress.requireAuth(server), (request, response) => {
    Object.assign(request, { auth: stranger })
    response.json(seen(onExpress.authOf(request)))
  })
  const other = fastify()
  other.decorateRequest('auth', null)
  other.get('/forgotten', async (request) => seen(onFastify.authOf(request)))
  const listening = app.listen(0, '127.0.0.1')
  await once(listening, 'listening')
  t.after(() => listening.close())
  t.mock.method(console, 'error', () => {})
  const origin = originOf(listening.address())
  assert.equal((await fetch(`${origin}/forgotten`)).status, 500)
  const headers = { authorization: `Bearer ${signed(key, userClaims())}` }
  assert.deepEqual(await (await fetch(`${origin}/guarded`, { headers })).json(), { sub: userClaims().sub })
  assert.equal((await other.inject('/forgotten')).statusCode, 500)
})

test('a handler receives the additional arguments of its framework', async () => {
  const { server } = openResourceServer([key])
  const handler = withAuth(server, (_request: Request, auth, context: { params: { id: string } }) =>
    Response.json([auth.kind, context.params.id]),
  )
  const request = new Request('https://app.example.com/orders/7', {
    headers: { authorization: `Bearer ${signed(key, userClaims())}` },
  })
  assert.deepEqual(await (await handler(request, { params: { id: '7' } })).json(), ['user', '7'])
})
