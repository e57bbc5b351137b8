import assert from 'node:assert/strict'
import type { RequestListener, ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { AuthError, AuthServiceUnavailable, InvalidAuthorizationHeader, InvalidToken } from '../src/errors.ts'
import { createResourceServer, type ResourceServerOptions } from '../src/server.ts'
import { clientClaims, openResourceServer, signed, signingKey, start, userClaims } from './support/issuer.ts'
import { listen } from './support/listen.ts'

/** Starts a server that violates RFC 7662, for responses that the real one never sends. */
async function open(listener: RequestListener, options: Partial<ResourceServerOptions> = {}) {
  const service = await listen(listener)
  const server = createResourceServer({
    issuer: service.origin,
    clientId: 'orders',
    clientSecret: 's3cret',
    timeout: 10_000,
    now: () => start,
    ...options,
  })
  return { server, service, [Symbol.asyncDispose]: () => service.close() }
}

const json = (response: ServerResponse, body: unknown, status = 200) =>
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))

const apiToken = { sid: undefined, scope: 'orders:read' }
const user = { id: userClaims().sub, email: 'ada@example.com', roles: ['editor'] }

/** Returns a server's response for one of its own valid tokens. */
function active(host: string | undefined, change: object = {}) {
  const { roles: _roles, ...claims } = userClaims()
  const own = `http://${host}`
  return {
    active: true,
    token_type: 'Bearer',
    ...claims,
    iss: own,
    aud: own,
    username: 'ada',
    email: user.email,
    user,
    ...change,
  }
}

test('the token is sent in a form, the credentials with Basic authentication, both encoded as in RFC 6749', async () => {
  const seen: unknown[] = []
  await using opened = await open(
    async (request, response) => {
      seen.push([
        request.method,
        request.url,
        request.headers['content-type'],
        request.headers.authorization,
        await text(request),
      ])
      json(response, active(request.headers.host))
    },
    { clientId: 'orders: a & b', clientSecret: 'süß+%' },
  )
  const auth = await opened.server.introspectRemote('a.b-c~d+e/f==')
  const basic = `Basic ${btoa('orders%3A+a+%26+b:s%C3%BC%C3%9F%2B%25')}`
  const form = 'token=a.b-c%7Ed%2Be%2Ff%3D%3D'
  assert.deepEqual(seen, [['POST', '/oauth2/introspect', 'application/x-www-form-urlencoded', basic, form]])
  assert.ok(auth.kind === 'user')
  assert.deepEqual([auth.sub, auth.roles, auth.user?.email, auth.sid], [user.id, ['editor'], user.email, 'session-1'])
})

test('a service client is distinguished from a user', async () => {
  await using opened = await open((request, response) => {
    const own = `http://${request.headers.host}`
    json(response, { active: true, token_type: 'Bearer', ...clientClaims(), iss: own, aud: own })
  })
  const auth = await opened.server.introspectRemote('t')
  assert.deepEqual([auth.kind, auth.sub, auth.scope], ['client', 'client_billing', 'orders:read orders:write'])
})

test('an API token has its own scopes and none of its owner’s roles', async () => {
  await using opened = await open((request, response) => json(response, active(request.headers.host, apiToken)))
  const auth = await opened.server.introspectRemote('gatelodge_pat_x.y')
  assert.ok(auth.kind === 'api_token')
  assert.deepEqual(
    [auth.sub, auth.scope, auth.user.email, 'roles' in auth],
    [user.id, 'orders:read', user.email, false],
  )
})

const refusals: Record<string, object> = {
  inactive: { active: false },
  'inactive with everything else': { active: false, exp: 9e9 },
  'a refresh token': { token_type: 'refresh_token' },
  'no kind of token': { token_type: undefined },
  'another issuer': { iss: 'https://evil.example.com' },
  'another audience': { aud: 'https://other.example.com' },
  'a token that has ended': { exp: 1 },
  'no subject': { sub: undefined },
  'a session that is no text': { sid: 1 },
  'a client with a user': { client_id: 'client_billing', scope: 'a', sid: undefined },
  'a client with a user and a session': { client_id: 'client_billing', sub: 'client_billing', scope: 'a' },
  'a user at another client': { client_id: 'client_billing' },
  'a user with a scope': { scope: 'orders:read' },
  'an API token without scopes': { ...apiToken, scope: undefined },
  'an API token for another audience': { ...apiToken, aud: 'https://other.example.com' },
  'a user without roles': { user: { ...user, roles: 'all' } },
  'no user': { user: undefined },
}
for (const [name, change] of Object.entries(refusals)) {
  test(`a response that is not a clear yes is a no: ${name}`, async () => {
    await using opened = await open((request, response) => json(response, active(request.headers.host, change)))
    await assert.rejects(opened.server.introspectRemote('t'), InvalidToken)
  })
}

const troubles: Record<string, RequestListener> = {
  '500': (_request, response) => json(response, { active: true }, 500),
  '503': (_request, response) => json(response, { active: true }, 503),
  '429': (_request, response) => json(response, { active: true }, 429),
  '401 for our own credentials': (_request, response) => json(response, { error: 'invalid_client' }, 401),
  '400': (_request, response) => json(response, { error: 'invalid_request' }, 400),
  '204': (_request, response) => response.writeHead(204).end(),
  'no JSON': (_request, response) => response.end('active'),
  'half a JSON': (_request, response) => response.end('{"active": true'),
  'an HTML page': (_request, response) => response.end('<h1>active: true</h1>'),
  'a list': (_request, response) => json(response, [{ active: true }]),
  'active as a text': (request, response) => json(response, active(request.headers.host, { active: 'true' })),
  'active as a number': (request, response) => json(response, active(request.headers.host, { active: 1 })),
  'a user without an address': (request, response) =>
    json(response, active(request.headers.host, { user: { id: user.id } })),
  'an API token of another user': (request, response) =>
    json(response, active(request.headers.host, { ...apiToken, user: { ...user, id: 'x' } })),
  'no active': (request, response) => json(response, active(request.headers.host, { active: undefined })),
  'another user than the subject': (request, response) =>
    json(response, active(request.headers.host, { user: { ...user, id: 'x' } })),
  'a huge body': (request, response) => json(response, active(request.headers.host, { x: 'x'.repeat(300_000) })),
  'a body without end': (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).write('{"active": true')
  },
  'no answer': () => {},
  'a connection that breaks': (request) => request.socket.destroy(),
  'a redirect': (request, response) =>
    response.writeHead(307, { location: `http://${request.headers.host}/oauth2/introspect?again` }).end(),
}
const endless: ReadonlySet<string> = new Set(['a body without end', 'no answer'])
for (const [name, trouble] of Object.entries(troubles)) {
  test(`a failure of the service is no answer: ${name}`, async () => {
    await using opened = await open(trouble, endless.has(name) ? { timeout: 1_000 } : {})
    await assert.rejects(opened.server.introspectRemote('t'), AuthServiceUnavailable)
    assert.equal(opened.service.requests.length, 1)
  })
}

test('the retry delay of the service is passed on', async () => {
  await using opened = await open((_request, response) => response.writeHead(503, { 'retry-after': '30' }).end())
  await assert.rejects(opened.server.introspectRemote('t'), { name: 'AuthServiceUnavailable', retryAfter: 30 })
})

test('a text that cannot be a token is rejected without a request', async () => {
  await using opened = await open((request, response) => json(response, active(request.headers.host)))
  for (const token of [undefined, null, '', ' ', 'a b', 'a\nb', 'ü', '=a', 'x'.repeat(4_097)])
    await assert.rejects(opened.server.introspectRemote(token), InvalidToken)
  assert.equal(opened.service.requests.length, 0)
})

test('a closed port is no answer', async () => {
  const { server, service } = await open(() => {})
  await service.close()
  await assert.rejects(server.introspectRemote('t'), AuthServiceUnavailable)
})

test('requests are authenticated by introspection with client credentials, otherwise by the token alone', async () => {
  const request = { method: 'GET', path: '/orders' }
  const skipNone = () => false
  await using opened = await open((asked, response) => json(response, active(asked.headers.host)))
  const asked = await opened.server.authenticateRequest(skipNone, { ...request, token: 't' })
  assert.ok(asked?.kind === 'user' && asked.user?.email === user.email)

  const key = signingKey('EdDSA', 'key')
  const { server, state } = openResourceServer([key])
  const local = await server.authenticateRequest(skipNone, { ...request, token: signed(key, userClaims()) })
  assert.ok(local?.kind === 'user' && local.user === undefined)
  for (const token of [undefined, null, ''])
    await assert.rejects(server.authenticateRequest(skipNone, { ...request, token }), InvalidToken)
  state.instead = () => Promise.reject(new TypeError('fetch failed'))
  state.now += 3_600_000
  const unknown = signed(signingKey('EdDSA', 'another'), userClaims(state.now))
  await assert.rejects(server.authenticateRequest(skipNone, { ...request, token: unknown }), AuthServiceUnavailable)
  await assert.rejects(server.introspectRemote('t'), TypeError)
})

test('a policy skips authentication only by returning true', async () => {
  const { server } = openResourceServer([signingKey('EdDSA', 'key')])
  const seen: string[] = []
  const ask = (answer: unknown) =>
    server.authenticateRequest(
      (method, path) => {
        seen.push(`${method} ${path}`)
        return answer as boolean
      },
      { method: 'GET', path: '/health', token: null },
    )
  assert.equal(await ask(true), null)
  assert.equal(await ask(Promise.resolve(true)), null)
  for (const answer of [false, Promise.resolve(false), undefined, 1, 'yes', {}])
    await assert.rejects(ask(answer), InvalidToken)
  assert.equal(seen[0], 'GET /health')
  const broken = () => {
    throw new Error('the policy is broken')
  }
  await assert.rejects(server.authenticateRequest(broken, { method: 'GET', path: '/', token: null }), /broken/)
})

test('an Authorization header is a scheme and a token, and nothing else', () => {
  const { server } = openResourceServer([])
  for (const header of ['Bearer abc', 'bearer abc', 'BEARER abc', 'Bearer  abc'])
    assert.equal(server.getToken(header), 'abc', header)
  assert.equal(server.getToken('Bearer a.b-c_d~e+f/g=='), 'a.b-c_d~e+f/g==')
  for (const header of [
    undefined,
    null,
    '',
    'Bearer',
    'Bearer ',
    'abc',
    'Bearerabc',
    'Bearer\tabc',
    'Basic abc',
    'Bearer a b',
    'Bearer abc, Bearer def',
    'Bearer abc\n',
    ' Bearer abc',
    'Bearer =abc',
    'Bearer ünicode',
    'Bearer "abc"',
    ['Bearer abc'] as unknown as string,
  ])
    assert.throws(() => server.getToken(header), InvalidAuthorizationHeader, String(header))
  const error = new InvalidAuthorizationHeader()
  assert.ok(error instanceof AuthError && error.code === 'not_authenticated' && error.status === 401)
})

test('options that could never work, or would silently do less, are rejected', () => {
  const issuer = 'https://auth.example.com'
  for (const wrong of [
    '',
    'auth.example.com',
    `${issuer}/`,
    `${issuer}?a`,
    `${issuer}#a`,
    'ftp://a',
    `${issuer}/"x`,
    ' https://a',
  ])
    assert.throws(() => createResourceServer({ issuer: wrong }), TypeError, wrong)
  for (const half of [
    { clientId: 'a' },
    { clientSecret: 'a' },
    { clientId: 'a', clientSecret: '' },
    { clientId: '', clientSecret: '' },
  ])
    assert.throws(() => createResourceServer({ issuer, ...half }), TypeError)
  for (const right of [issuer, 'http://localhost:3000', 'http://[::1]:3000', `${issuer}/auth`])
    createResourceServer({ issuer: right })
})
