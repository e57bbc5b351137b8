import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import { test } from 'node:test'
import { listen } from '../../packages/client/test/support/listen.ts'
import { openBrowser } from '../../packages/gatelodge/test/support/browser.ts'
import { browser, build, sessionCookie, signedIn, site } from './fixture.ts'
import { type FrontEnd, frontEndOrigin, startFrontEnd } from './front-end.ts'
import { fill, password, press } from './page.ts'
import { assertSound } from './walk.ts'

test('the server knows who asks at each request, also without JavaScript', async () => {
  await using here = await signedIn('rendered@example.org', { first_name: 'Rosalind' })
  const cookie = await sessionCookie(here)
  const home = async (headers: Readonly<Record<string, string>>) => (await fetch(site.origin, { headers })).text()
  assert.match(await home({ cookie }), /<h1>Hello Rosalind<\/h1>/)
  const { headers: told } = await fetch(site.origin, { headers: { cookie } })
  assert.equal(told.get('cache-control'), 'private, no-store')
  assert.equal(told.get('referrer-policy'), 'no-referrer')
  assert.match(told.get('content-security-policy') ?? '', /^default-src 'none'; .*frame-ancestors 'none'/)
  for (const headers of [{}, { cookie: 'gatelodge=a.b' }, { cookie: `x${cookie}` }] as const)
    assert.doesNotMatch(await home(headers), /Rosalind/)

  await using there = await openBrowser(browser, site, { javaScriptEnabled: false })
  await there.page.context().addCookies(await here.page.context().cookies())
  await there.open('/account')
  assert.match(await there.page.locator('.facts').innerText(), /Rosalind Lovelace/)
  await fetch(`${site.origin}/api/v1/auth/signout`, { method: 'POST', headers: { cookie, origin: site.origin } })
  assert.doesNotMatch(await home({ cookie }), /Rosalind/)
  await there.open('/account')
  assert.equal(there.path(), '/login?next=%2Faccount')
  assert.equal(await there.page.locator('main button[type=submit]').isDisabled(), true, 'no script would send the form')

  // Also without loading from the server in between, and if the page only saves something.
  await press(here.page, 'Edit the profile')
  await press(here.page, 'Save')
  await here.page.waitForURL('**/login?next=%2Faccount')
  here.assertClean(/^401 .*\/me$/)
  there.assertClean(/^failed: .*\.js$/) // Chromium preloads scripts that it may not run, and discards them
})

test('what belongs to Gatelodge is passed on with the address of the client, and without what is of the connection', async () => {
  const told = { location: '/verify-email?token=x', 'set-cookie': ['a=1; HttpOnly', 'b=2'], 'x-own': '1' }
  await using gatelodge = await listen((_, response) => {
    response.writeHead(303, { ...told, 'x-hop': '1', connection: 'x-hop' }).end()
  })
  await using front = await startFrontEnd(build, await frontEndOrigin(), gatelodge.origin)
  const own = {
    cookie: 'gatelodge=a.b',
    authorization: 'Bearer x',
    origin: 'https://elsewhere.example',
    'sec-fetch-site': 'cross-site',
    'content-type': 'application/x-www-form-urlencoded',
  }
  const dropped = {
    forwarded: 'for=10.9.8.7',
    'x-forwarded-host': 'evil.example',
    'x-real-ip': '10.9.8.7',
    'proxy-authorization': 'Basic x',
    te: 'trailers',
    'x-hop': '1',
  }
  const replaced = { host: 'evil.example', 'x-forwarded-for': '10.9.8.7', connection: 'keep-alive, x-hop' }
  const answer = await send(front, 'POST', '/oauth2/token?a=%2F&b', { ...own, ...dropped, ...replaced }, 'a=1')
  assert.equal(answer.statusCode, 303, 'the redirect is for the browser')
  for (const [name, value] of Object.entries(told)) assert.deepEqual(answer.headers[name], value, name)
  assert.equal(answer.headers['x-hop'], undefined)

  const [asked] = gatelodge.requests
  assert.deepEqual([asked?.method, asked?.url], ['POST', '/oauth2/token?a=%2F&b'])
  const headers = asked?.headers ?? {}
  for (const [name, value] of Object.entries(own)) assert.equal(headers[name], value, name)
  assert.deepEqual(
    Object.keys(dropped).filter((name) => name in headers),
    [],
  )
  assert.deepEqual([headers.host, headers['x-forwarded-for']], [new URL(gatelodge.origin).host, '127.0.0.1'])
})

test('only what belongs to Gatelodge is passed on, and no other site posts to the pages', async () => {
  await using gatelodge = await listen((_, response) => void response.writeHead(418).end())
  await using front = await startFrontEnd(build, await frontEndOrigin(), gatelodge.origin)
  for (const path of ['/api/v1/auth/session', '/avatars/x.webp', '/.well-known/jwks.json', '/oauth2/token'])
    assert.equal((await send(front, 'GET', path)).statusCode, 418, path)
  const others = [
    '/',
    '/api',
    '/apis/',
    '/dev/mailbox',
    '/healthz',
    '/metrics',
    '/api/../metrics',
    '/api/%2e%2e/metrics',
  ]
  for (const path of others) assert.notEqual((await send(front, 'GET', path)).statusCode, 418, path)
  assert.equal(gatelodge.requests.length, 4)

  const post = async (headers: object) =>
    (await send(front, 'POST', '/login', { 'content-type': 'text/plain', ...headers }, 'a=1')).statusCode
  for (const site of ['cross-site', 'same-site', 'none'])
    assert.equal(await post({ 'sec-fetch-site': site }), 403, site)
  assert.equal(await post({}), 403)
  assert.equal(await post({ 'sec-fetch-site': 'same-origin' }), 405, 'a page takes no forms')
})

test('what cannot be passed on is a problem that the client understands', async () => {
  await using gatelodge = await listen((request, response) => void request.resume().on('end', () => response.end()))
  await using front = await startFrontEnd(build, await frontEndOrigin(), gatelodge.origin)
  const upload = async (size: number) => {
    // Kept alive, like a browser: a closed connection may end before the whole body is written, and then Node's client reads no answer.
    const keptAlive = { connection: 'keep-alive' }
    const { statusCode, headers } = await send(front, 'PUT', '/api/v1/auth/me/avatar', keptAlive, Buffer.alloc(size))
    return [statusCode, headers['content-type']]
  }
  const problem = 'application/problem+json'
  assert.deepEqual(await upload(7 * 1024 * 1024), [200, undefined])
  assert.deepEqual(await upload(9 * 1024 * 1024), [413, problem])
  await gatelodge.close()
  assert.deepEqual(await upload(1), [503, problem])
})

test('bodies are passed on while they arrive, in both directions', async () => {
  await using gatelodge = await listen((request, response) => {
    request.on('data', (chunk) => response.write(chunk)).on('end', () => response.end())
  })
  await using front = await startFrontEnd(build, await frontEndOrigin(), gatelodge.origin)
  const sending = request(`${front.origin}/api/echo`, { method: 'POST', headers: { 'content-type': 'text/plain' } })
  sending.write('first')
  const answer = await answerTo(sending)
  const chunks = answer.setEncoding('utf8')[Symbol.asyncIterator]()
  assert.equal((await chunks.next()).value, 'first')
  sending.end('last')
  assert.deepEqual([await chunks.next(), (await chunks.next()).done], [{ value: 'last', done: false }, true])
})

test('while Gatelodge is down pages say so and users stay signed in, and afterwards everything works as before', async () => {
  await using here = await signedIn('away@example.org')
  const { page } = here
  const { listen } = site.server.started
  await site.server.end()

  await page.locator('header .brand').click()
  await page.locator('.status').waitFor()
  for (const path of ['/', '/account', '/login']) {
    assert.equal(await here.open(path), 503)
    assert.equal(here.path(), path)
    await assertSound(page, `${path} away`)
    assert.equal(await page.locator('a[href="/login"]').count(), 0)
  }
  await using stranger = await openBrowser(browser, site)
  assert.equal(await stranger.open('/login'), 200, 'a visitor without a session cookie needs no request to Gatelodge')
  await fill(stranger.page, { identifier: 'away@example.org', password })
  await press(stranger.page, 'Sign in')
  await stranger.page.locator('form [role=alert]:focus').waitFor()

  await here.open('/account')
  await site.folder.serve('--listen', `${listen.host}:${listen.port}`)
  await page.locator('a.button').click()
  await page.locator('.me').waitFor()
  assert.equal(here.path(), '/account')
  here.assertClean(/^503 /)
  stranger.assertClean(/^503 .*\/signin$/)
})

/** Sends what no browser would. Returns the head of the response; its body is discarded. */
async function send(
  { origin }: FrontEnd,
  method: string,
  path: string,
  headers: Readonly<Record<string, string>> = {},
  body?: string | Buffer,
): Promise<IncomingMessage> {
  const { hostname, port } = new URL(origin)
  const sending = request({ hostname, port, method, path, headers, agent: false }).on('error', () => {})
  sending.end(body)
  return (await answerTo(sending)).resume()
}

async function answerTo(sending: ClientRequest): Promise<IncomingMessage> {
  const [answer] = (await once(sending, 'response', { signal: AbortSignal.timeout(10_000) })) as [IncomingMessage]
  return answer
}
