import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { serve } from '@hono/node-server'
import express from 'express'
import fastify from 'fastify'
import { Hono } from 'hono'
import { forEachDatabase } from '../../../test/support/app.ts'
import { password, type TestAuth, testAuth } from '../../../test/support/auth.ts'
import type { Auth } from '../auth.ts'
import { engineOf } from '../engine.ts'
import { toExpress } from './express.ts'
import { toFastify } from './fastify.ts'
import { toHono } from './hono.ts'
import { toNodeHandler } from './node.ts'
import { type SvelteKitEvent, toSvelteKit } from './sveltekit.ts'

/** Each host has a home page, a page that greets its visitor, and a route that takes JSON. */
const hosts: Readonly<Record<string, (auth: Auth) => Promise<Server>>> = {
  async express(auth) {
    const app = express()
    app.use(toExpress(auth))
    app.use(express.json())
    app.get('/', (_request, response) => void response.send('home'))
    app.get('/hello', async (request, response) => void response.send(greeting(await auth.api.getSession(request))))
    app.post('/orders', (request, response) => void response.json(request.body))
    return listening(createServer(app))
  },
  async fastify(auth) {
    const app = fastify()
    await app.register(toFastify(auth))
    app.get('/', async () => 'home')
    app.get('/hello', async (request) => greeting(await auth.api.getSession(request.headers)))
    app.post('/orders', async (request) => request.body)
    await app.listen({ host: '127.0.0.1', port: 0 })
    return app.server
  },
  async hono(auth) {
    const app = new Hono()
    app.use(toHono(auth))
    app.get('/', (context) => context.text('home'))
    app.get('/hello', async (context) => context.text(greeting(await auth.api.getSession(context.req.raw))))
    app.post('/orders', async (context) => context.json(await context.req.json()))
    const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 }) as Server // without options for HTTP/2
    if (!server.listening) await once(server, 'listening')
    return server
  },
}

forEachDatabase('the adapters', (engine) => {
  for (const [name, host] of Object.entries(hosts)) {
    test(`${name}: Gatelodge serves its routes with the client’s address, and the host its own`, async () => {
      await using app = await testAuth({ engine, settings: { registration: 'instant' } })
      await using site = await open(await host(app.auth))
      assert.equal(await site.text('/'), 'home')
      assert.equal(await site.text('/hello'), 'stranger')
      assert.match(await site.text('/login'), /<form/)
      assert.deepEqual(await site.post('/orders', { of: 3 }), { of: 3 })

      const cookie = await signUpByCookie(site)
      assert.equal(await site.text('/hello', { cookie }), 'ada@example.com')
      assert.equal(await addressOf(app), '127.0.0.1')
      assert.equal((await fetch(`${site.origin}/nowhere`)).status, 404)
    })
  }

  test('node:http: every request is Gatelodge’s, and the global Request stays as it was', async () => {
    const { Request: before } = globalThis
    await using app = await testAuth({ engine, settings: { registration: 'instant' } })
    await using site = await open(await listening(createServer(toNodeHandler(app.auth))))
    assert.equal(globalThis.Request, before)
    await signUpByCookie(site)
    assert.equal((await fetch(`${site.origin}/nowhere`)).status, 404)
  })

  test('SvelteKit: the hook serves the routes and sets the caller for all other requests', async () => {
    await using app = await testAuth({ engine, settings: { registration: 'instant' } })
    const handle = toSvelteKit(app.auth)
    const asked: string[] = []
    const ask = (path: string, init?: RequestInit) => {
      const url = new URL(path, 'http://localhost:3000')
      const event = {
        request: new Request(url, init),
        url,
        locals: {} as SvelteKitEvent['locals'],
        getClientAddress() {
          asked.push(path)
          return '192.0.2.9'
        },
      }
      return handle({ event, resolve: ({ locals }) => new Response(greeting(locals.auth)) })
    }
    const signedUp = await ask('/api/v1/auth/signup', json({ email: 'ada@example.com', password }))
    assert.equal(signedUp.status, 201)
    const { access_token: token } = (await signedUp.json()) as { access_token: string }
    assert.equal(await addressOf(app), '192.0.2.9')
    assert.equal(
      await (await ask('/notes', { headers: { authorization: `Bearer ${token}` } })).text(),
      'ada@example.com',
    )
    assert.equal(await (await ask('/notes')).text(), 'stranger')
    assert.deepEqual(asked, ['/api/v1/auth/signup'])
  })

  test('a body that another parser has read is explained, to the client and in the log', async () => {
    await using app = await testAuth({ engine, settings: { registration: 'instant' } })
    const host = express()
    host.use(express.json())
    host.use(toExpress(app.auth))
    await using site = await open(await listening(createServer(host)))
    const read = new Request('http://localhost:3000/api/v1/auth/signin', json({ email: 'ada@example.com', password }))
    await read.text()
    for (const response of [
      await fetch(`${site.origin}/api/v1/auth/signup`, json({ email: 'ada@example.com', password })),
      await app.auth.fetch(read),
    ]) {
      assert.equal(response.status, 500)
      const { code, detail } = (await response.json()) as { code: string; detail: string }
      assert.equal(code, 'body_consumed')
      assert.match(detail, /mount Gatelodge before body parsers/)
    }
    assert.equal(app.logged.filter(({ level, message }) => level === 'error' && /body parsers/.test(message)).length, 2)
    assert.equal((await fetch(`${site.origin}/login`)).status, 200)
  })
})

function greeting(found: { readonly user: { readonly email: string } } | null | undefined): string {
  return found ? found.user.email : 'stranger'
}

interface Site extends AsyncDisposable {
  readonly origin: string
  text(path: string, headers?: Record<string, string>): Promise<string>
  post(path: string, body: unknown): Promise<unknown>
}

async function listening(server: Server): Promise<Server> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}

async function open(server: Server): Promise<Site> {
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}` // it listens on a port
  return {
    origin,
    text: async (path, headers = {}) => (await fetch(origin + path, { headers })).text(),
    post: async (path, body) => (await fetch(origin + path, json(body))).json(),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function json(body: unknown): RequestInit {
  return { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
}

async function signUpByCookie({ origin }: Site): Promise<string> {
  const signedUp = await fetch(`${origin}/api/v1/auth/signup`, json({ email: 'ada@example.com', password }))
  assert.equal(signedUp.status, 201)
  const signedIn = await fetch(
    `${origin}/api/v1/auth/signin`,
    json({ email: 'ada@example.com', password, session: 'cookie' }),
  )
  assert.equal(signedIn.status, 200)
  const cookie = signedIn.headers.getSetCookie().find((each) => each.startsWith('gatelodge='))
  return cookie?.split(';', 1)[0] ?? ''
}

/** Returns the address that the newest session was started from. */
async function addressOf({ auth }: TestAuth): Promise<string | null | undefined> {
  const { db } = engineOf(auth).deps.store
  const row = await db.selectFrom('sessions').select('ip').orderBy('created_at', 'desc').executeTakeFirst()
  return row?.ip
}
