import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { Agent } from 'node:https'
import { setTimeout as pause } from 'node:timers/promises'
import sharp from 'sharp'
import { multipart } from '../../packages/gatelodge/test/support/images.ts'
import type { SmtpTestServer } from '../../packages/gatelodge/test/support/smtp.ts'
import { until } from '../../packages/gatelodge/test/support/until.ts'
import { type Ask, type Client, createClient, home, type Told } from './client.ts'
import { publicHost, type RunningProxy } from './proxy.ts'

/** A user with an account on the server behind a proxy. */
export interface Visit {
  readonly client: Client
  readonly smtp: SmtpTestServer
  readonly email: string
  /** The session cookie, as a browser sends it. */
  readonly cookie: string
}

const api = '/api/v1/auth'
const password = 'quiet harbour 52'
/** An address that no client here has. */
const forged = '203.0.113.9'
const stranger = 'evil.example'
const mebibyte = 1024 * 1024

/** Waits until the server answers through the proxy, then signs up, follows the emailed link and signs in by cookie. */
export async function createVisit(proxy: RunningProxy, smtp: SmtpTestServer): Promise<Visit> {
  const client = createClient(proxy)
  await until(async () => {
    assert.ok(proxy.isUp(), 'the proxy has ended')
    return (await statusOf(client, '/healthz')) === 200
  })

  const email = 'ada@example.com'
  const signUp = await client.ask(`${api}/signup`, { json: { email, password, fullname: 'Ada Lovelace' } })
  assert.equal(signUp.status, 201, signUp.text)
  const link = await mailedLink(smtp, 'verify-email')
  const cookies = signUp.header('set-cookie').map((cookie) => cookie.split(';')[0] ?? '')
  const confirmed = await client.ask(`${api}/verify-email`, {
    json: { token: link.searchParams.get('token') },
    cookies,
  })
  assert.equal(confirmed.status, 200, confirmed.text)

  const signedIn = await signIn(client, email)
  assert.equal(signedIn.status, 200, signedIn.text)
  const cookie = signedIn.header('set-cookie').find((value) => value.startsWith('__Host-gatelodge='))
  assert.match(cookie ?? '', /; Secure/)
  return { client, smtp, email, cookie: cookie?.split(';')[0] ?? '' }
}

/** What must hold behind every proxy, in the order in which it is checked. */
export const checks: Readonly<Record<string, (visit: Visit) => Promise<void>>> = {
  'sign-up, the mailed link and sign-in by a __Host- cookie work': async ({ client, email, cookie }) => {
    const session = await client.ask(`${api}/session`, { cookies: [cookie] })
    assert.equal(session.json.user.email, email)
    const foreign = { json: {}, cookies: [cookie], headers: { origin: `https://${stranger}` } }
    assert.equal((await client.ask(`${api}/signout`, foreign)).json.code, 'cross_site')
  },

  '/readyz and problem documents come through': async ({ client }) => {
    const ready = await client.ask('/readyz')
    assert.equal(ready.status, 200)
    assert.equal(ready.json.database, 'ok')
    const missing = await client.ask('/nothing')
    assert.equal(missing.status, 404)
    assert.equal(missing.json.code, 'not_found')
  },

  'HSTS and the other headers are sent once, as the server wrote them': async ({ client }) => {
    const told = await client.ask('/healthz')
    assert.deepEqual(told.header('strict-transport-security'), ['max-age=63072000; includeSubDomains'])
    assert.deepEqual(told.header('cache-control'), ['no-store'])
    assert.equal(told.header('content-security-policy').length, 1)
  },

  'the event log has the address of the client, whatever forwarding headers it sent': async (visit) => {
    const { client, email, cookie } = visit
    const lies = [
      { 'x-forwarded-for': forged },
      { 'x-forwarded-for': `${forged}, 127.0.0.1` },
      { forwarded: `for=${forged}`, 'x-real-ip': forged, 'x-client-ip': forged },
      { 'x-forwarded-for': forged, connection: 'close, X-Forwarded-For' },
    ]
    for (const headers of lies) assert.equal((await signIn(client, email, { headers })).status, 200)
    const { json } = await client.ask(`${api}/me/events`, { cookies: [cookie] })
    const seen = (json.events as { ip: string }[]).map(({ ip }) => ip)
    assert.ok(seen.length > lies.length)
    assert.deepEqual([...new Set(seen)], [home])
  },

  'limits count each client by itself, and a forged address buys no other count': async ({ client }) => {
    const guesser = '127.0.0.78'
    const guess = (index: number, from: string) =>
      signIn(client, `nobody${index}@example.com`, { from, headers: { 'x-forwarded-for': `198.51.100.${index}` } })
    const statuses = []
    for (let index = 0; index < 32; index += 1) statuses.push((await guess(index, guesser)).status)
    assert.equal(statuses.at(0), 401)
    assert.equal(statuses.at(-1), 429)
    assert.equal((await guess(99, '127.0.0.79')).status, 401)
  },

  'names in Host and its like build nothing': async ({ client, smtp, email }) => {
    const claims = { 'x-forwarded-host': stranger, 'x-forwarded-proto': 'http', 'x-original-url': `//${stranger}/` }
    const asked = await client.ask(`${api}/forgot-password`, { json: { email }, headers: claims })
    assert.equal(asked.status, 200, asked.text)
    const link = await mailedLink(smtp, 'reset-password')
    assert.equal(link.origin, `https://${publicHost}`)

    await client.ask(`${api}/forgot-password`, { json: { email }, headers: { host: stranger } }).catch(() => undefined)
    const answers = [
      await client.send([
        `GET https://${stranger}/healthz HTTP/1.1\r\nHost: ${publicHost}\r\nConnection: close\r\n\r\n`,
      ]),
      await client.send([
        `GET /healthz HTTP/1.1\r\nHost: ${publicHost}\r\nHost: ${stranger}\r\nConnection: close\r\n\r\n`,
      ]),
      await client.send(['GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n']),
      await client.send(['GET /healthz HTTP/1.0\r\n\r\n']),
      await client.send([`GET /docs HTTP/1.1\r\nHost: ${stranger}\r\nConnection: close\r\n\r\n`]),
    ]
    for (const answer of answers) {
      assert.ok(!answer.includes(stranger), answer)
      assert.doesNotMatch(answer, /^HTTP\/1\.\d 5/)
    }
    for (const { raw } of smtp.received) assert.ok(!raw.includes(stranger))
  },

  'two lengths in one request are one request at most': async ({ client }) => {
    const smuggled = 'GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n'
    const head = `POST ${api}/signin HTTP/1.1\r\nHost: ${publicHost}\r\nContent-Type: application/json\r\nConnection: close\r\n`
    const answers = await client.send([
      `${head}Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
    ])
    assert.ok((answers.match(/^HTTP\/1\.\d \d{3}/gm) ?? []).length <= 1, answers)
  },

  'a picture of 5 MiB arrives; a larger one is refused in our words, one beyond the limit of the proxy at all': async (
    visit,
  ) => {
    const { client, cookie } = visit
    const put = (content: Uint8Array) => client.ask(`${api}/me/avatar`, picture(content, cookie))
    const pixels = await noise(1_000)
    const largest = Buffer.concat([pixels, Buffer.alloc(5 * mebibyte - pixels.length)])
    const stored = await put(largest)
    assert.equal(stored.status, 200, stored.text)
    const shown = await client.ask(stored.json.avatar_url)
    assert.equal(shown.header('content-type')[0], 'image/webp')

    assert.equal((await put(Buffer.alloc(6 * mebibyte, pixels))).json.code, 'image_too_large')
    const refused = await put(Buffer.alloc(17 * mebibyte)).then(
      ({ status }) => status,
      () => 413, // disconnected in the middle
    )
    assert.equal(refused, 413)
  },

  'slow senders are waited for': async ({ client, email, cookie }) => {
    const body = JSON.stringify({ email, password })
    const head = `POST ${api}/signin HTTP/1.1\r\nHost: ${publicHost}\r\nContent-Type: application/json\r\nConnection: close\r\n`
    const slow = client.send(slowly([...`${head}Content-Length: ${body.length}\r\n\r\n`, ...body], 6_000))
    const content = picture(await noise(1_000), cookie)
    const pieces = slowly(chunksOf(content.body as Uint8Array, 20), 12_000)
    const length = { 'content-length': String((content.body as Uint8Array).length) }
    const uploaded = client.ask(`${api}/me/avatar`, {
      ...content,
      body: pieces,
      headers: { ...content.headers, ...length },
    })
    assert.match(await slow, /^HTTP\/1\.1 200/)
    assert.equal((await uploaded).status, 200)
  },

  '100 clients that stop in the middle of a body delay no other client': async ({ client, cookie }) => {
    const half = `POST ${api}/signin HTTP/1.1\r\nHost: ${publicHost}\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n{`
    const sockets = await Promise.all(Array.from({ length: 100 }, () => client.raw()))
    for (const socket of sockets) socket.write(half)
    const begin = performance.now()
    for (let index = 0; index < 5; index += 1)
      assert.equal((await client.ask(`${api}/session`, { cookies: [cookie] })).status, 200)
    assert.ok(performance.now() - begin < 3_000)
    for (const socket of sockets) socket.destroy()
  },

  '300 requests of 8 connections that are kept all get their answer': async ({ client, cookie }) => {
    const agent = new Agent({ keepAlive: true, maxSockets: 8 })
    const ask = () => client.ask(`${api}/session`, { cookies: [cookie], agent })
    const told = await Promise.all(Array.from({ length: 300 }, ask))
    agent.destroy()
    assert.deepEqual([...new Set(told.map(({ status }) => status))], [200])
  },
}

function signIn(client: Client, email: string, ask: Ask = {}): Promise<Told> {
  return client.ask(`${api}/signin`, { ...ask, json: { email, password, session: 'cookie' } })
}

async function statusOf(client: Client, path: string): Promise<number | undefined> {
  return client.ask(path).then(
    ({ status }) => status,
    () => undefined, // not listening yet
  )
}

async function mailedLink(smtp: SmtpTestServer, page: string): Promise<URL> {
  const find = () =>
    smtp.received
      .map(({ parsed }) => parsed.text?.match(new RegExp(`\\S+/${page}\\?token=\\S+`))?.[0])
      .find((link) => link !== undefined)
  await until(() => find() !== undefined)
  return new URL(find() ?? '')
}

/** Returns an incompressible PNG, with three bytes per pixel. */
function noise(side: number): Promise<Buffer> {
  const raw = { width: side, height: side, channels: 3 } as const
  return sharp(randomBytes(side * side * 3), { raw })
    .png({ compressionLevel: 1 })
    .toBuffer()
}

function picture(content: Uint8Array, cookie: string): Ask {
  const { body, type } = multipart([{ content }])
  return { method: 'PUT', body, cookies: [cookie], headers: { 'content-type': type } }
}

function chunksOf(bytes: Uint8Array, count: number): Uint8Array[] {
  const size = Math.ceil(bytes.length / count)
  return Array.from({ length: count }, (_, index) => bytes.subarray(index * size, (index + 1) * size))
}

async function* slowly<T>(pieces: readonly T[], duration: number): AsyncGenerator<T> {
  for (const piece of pieces) {
    yield piece
    await pause(duration / pieces.length)
  }
}
