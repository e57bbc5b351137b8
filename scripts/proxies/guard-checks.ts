import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { posix } from 'node:path'
import { createVisit } from './checks.ts'
import type { Ask, Client, Told } from './client.ts'
import { publicHost } from './proxy.ts'
import type { Stage } from './run.ts'
import { type Seen, type Site, welcome } from './site.ts'

/** A user with an account, in front of a guarded site. */
export interface Guarded {
  readonly client: Client
  readonly site: Site
  readonly email: string
  /** The session cookie, as a browser sends it. */
  readonly cookie: string
  readonly userId: string
  /** Makes the user an administrator. */
  promote(): Promise<unknown>
  /** Stops the auth server. */
  end(): Promise<unknown>
}

const api = '/api/v1/auth'
const password = 'quiet harbour 52'
/** Characters with which a client may spoof a header name: sites that turn headers into variables (CGI, PHP, WSGI) read all of these as the same one. */
const separators = [..."-_.~!#$%&'*+^`|"]
const lies = ['user', 'username', 'email', 'roles'].map((word) => {
  const names = separators.flatMap((mark) => [
    `x${mark}auth${mark}${word}`,
    `x-auth${mark}${word}`,
    `x${mark}auth-${word}`,
  ])
  return { headers: Object.fromEntries(names.map((name) => [name, 'mallory'])) }
})

/** Signs up a user through the proxy. */
export async function openGuarded({ proxy, smtp, site, server, folder }: Stage): Promise<Guarded> {
  const { client, email, cookie } = await createVisit(proxy, smtp)
  const { json } = await client.ask(`${api}/me`, { cookies: [cookie] })
  const promote = () => folder.json(`admin create --email ${email}`)
  return { client, site, email, cookie, userId: json.id, promote, end: () => server.end() }
}

/** What must hold behind every proxy, in the order in which it is checked. */
export const guardChecks: Readonly<Record<string, (guarded: Guarded) => Promise<void>>> = {
  'a session gets in by cookie and by bearer token, and the site is told who it is': async (guarded) => {
    const { client, email, cookie, userId } = guarded
    const { json } = await client.ask(`${api}/signin`, { json: { email, password } })
    for (const ask of [{ cookies: [cookie] }, bearing(json.access_token)]) {
      assert.deepEqual(saidOf(await reached(guarded, '/wiki/page?a=1&b=2', ask)), said(userId, '', email))
    }
  },

  'the site never sees the cookie or the token': async (guarded) => {
    const { client, email, cookie } = guarded
    const { json } = await client.ask(`${api}/signin`, { json: { email, password } })
    for (const path of ['/wiki/', '/wiki/api/', '/wiki/public/']) {
      const seen = await reached(guarded, path, { cookies: [cookie, 'other=1'], ...bearing(json.access_token) })
      const text = JSON.stringify(seen.headers)
      for (const part of ['__Host-gatelodge', json.access_token, cookie.split('=')[1]]) assert.ok(!text.includes(part))
    }
  },

  'strangers get 401 where programs ask': async (guarded) => {
    for (const ask of [{}, { cookies: ['__Host-gatelodge=x'] }, bearing('x'), ...lies, { method: 'POST' }]) {
      const told = await refused(guarded, '/wiki/api/x', ask)
      assert.equal(told.status, 401)
      assert.match(told.header('www-authenticate')[0] ?? '', /^Bearer/)
    }
  },

  'visitors without a session go to the sign-in page, and from there to the page they requested': async (guarded) => {
    const { client, email } = guarded
    const wish = '/wiki/page?a=1&b=%26+%C5%BC'
    const { status, header } = await refused(guarded, wish)
    assert.equal(status, 302)
    const login = new URL(header('location')[0] ?? '')
    assert.deepEqual([login.origin, login.pathname], [`https://${publicHost}`, '/login'])
    assert.equal(login.searchParams.get('next'), wish)

    const page = await client.ask(login.pathname + login.search)
    const cookies = page.header('set-cookie').map(pairOf)
    const fields = { ...hiddenFields(page.text), identifier: email, password }
    const headers = { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin' }
    const body = Buffer.from(new URLSearchParams(fields).toString())
    const signedIn = await client.ask(login.pathname + login.search, { method: 'POST', headers, body, cookies })
    assert.deepEqual([signedIn.status, signedIn.header('location')[0]], [303, wish], signedIn.text)
    const session = signedIn.header('set-cookie').map(pairOf)
    assert.equal((await reached(guarded, wish, { cookies: session })).url, wish)
  },

  'no header of the client says who it is, in no spelling: with a session, without a username, where all may go':
    async (guarded) => {
      const { client, email, cookie, userId } = guarded
      for (const lie of lies) {
        const nameless = await reached(guarded, '/wiki/x', { cookies: [cookie], ...lie })
        assert.deepEqual(saidOf(nameless), said(userId, '', email))
        for (const ask of [lie, { cookies: [cookie], ...lie }])
          assert.deepEqual(saidOf(await reached(guarded, '/wiki/public/x', ask)), {})
      }

      const named = { method: 'PATCH', cookies: [cookie], json: { username: 'ada' } }
      assert.equal((await client.ask(`${api}/me`, named)).status, 200)
      await guarded.promote()
      for (const lie of lies) {
        const seen = await reached(guarded, '/wiki/x', { cookies: [cookie], ...lie })
        assert.deepEqual(saidOf(seen), said(userId, 'ada', email, 'administrator'))
      }
      const dropped = { cookies: [cookie], headers: { connection: 'close, X-Auth-User, X-Auth-Email, Cookie' } }
      const told = await client.ask('/wiki/x', dropped)
      if (told.text === welcome)
        assert.deepEqual(saidOf(guarded.site.seen.at(-1)), said(userId, 'ada', email, 'administrator'))
    },

  'a session that was signed out is refused at the next request': async (guarded) => {
    const { client, email } = guarded
    for (let round = 0; round < 20; round += 1) {
      const { json } = await client.ask(`${api}/signin`, { json: { email, password } })
      const bearer = bearing(json.access_token)
      await reached(guarded, '/wiki/api/x', bearer)
      assert.equal((await client.ask(`${api}/signout`, { ...bearer, method: 'POST' })).status, 200)
      assert.equal((await refused(guarded, '/wiki/api/x', bearer)).status, 401)
    }
  },

  'an API token gets in with the scope of the site only': async (guarded) => {
    const { client, cookie, userId } = guarded
    const make = async (scopes: string[]) => {
      const made = await client.ask(`${api}/me/tokens`, { cookies: [cookie], json: { name: 'script', scopes } })
      assert.equal(made.status, 201, made.text)
      return bearing(made.json.token)
    }
    const seen = await reached(guarded, '/wiki/api/x', await make(['other', 'wiki']))
    assert.deepEqual(seen.headers['x-auth-user'], [userId])
    for (const path of ['/wiki/api/x', '/wiki/x'])
      assert.equal((await refused(guarded, path, await make(['other']))).status, 403)
  },

  'a body reaches the site as it was sent, with a length and in pieces; that of a stranger does not': async (
    guarded,
  ) => {
    const { cookie } = guarded
    const body = randomBytes(3 * 1024 * 1024)
    const type = { 'content-type': 'application/octet-stream' }
    const pieces = async function* () {
      for (let at = 0; at < body.length; at += 65_536) yield body.subarray(at, at + 65_536)
    }
    for (const sent of [body, pieces()]) {
      const ask = { method: 'PUT', cookies: [cookie], headers: type, body: sent }
      const seen = await reached(guarded, '/wiki/file', ask)
      assert.deepEqual([seen.method, seen.body.equals(body)], ['PUT', true])
    }
    for (const [path, status] of [
      ['/wiki/file', 302],
      ['/wiki/api/file', 401],
    ] as const)
      assert.equal(
        (await refused(guarded, path, { method: 'POST', headers: type, body: body.subarray(0, 9_000) })).status,
        status,
      )
  },

  'large headers get in with their session or are refused': async (guarded) => {
    const { email, cookie, userId } = guarded
    for (const [size, path] of [1_000, 4_000, 7_000, 15_000, 30_000, 60_000].flatMap(
      (bytes) =>
        [
          [bytes, '/wiki/x'],
          [bytes, '/wiki/api/x'],
        ] as const,
    )) {
      const filler = 'x'.repeat(size)
      const stranger = await refused(guarded, path, { cookies: [`other=${filler}`] })
      assert.ok(stranger.status >= 300, `${size}`)
      const before = guarded.site.seen.length
      const told = await guarded.client.ask(path, { cookies: [`other=${filler}`, cookie] })
      if (size <= 7_000) assert.equal(told.status, 200, `${size}`)
      if (told.text === welcome)
        assert.deepEqual(saidOf(guarded.site.seen.at(-1)), said(userId, 'ada', email, 'administrator'))
      else assert.ok(told.status >= 400 && guarded.site.seen.length === before, `${size}: ${told.status}`)
    }
  },

  'no spelling of a path leads around the guard': async (guarded) => {
    const spellings = ['..', '%2e%2e', '.%2e', '%2E.'].flatMap((up) =>
      ['/', '%2f', '%2F', '//'].flatMap((slash) => [
        `/wiki/public/${up}${slash}secret`,
        `/wiki/public${slash}${up}${slash}secret`,
        `/wiki/public/x/${up}/${up}${slash}secret`,
        `/${up}/wiki${slash}secret`,
        `/nothing/${up}/wiki${slash}secret`,
        `/wiki/secret/${up}${slash}public/x`,
        `/wiki/secret${slash}${up}${slash}public/x`,
        `/wiki/secret/x/${up}/${up}${slash}public${slash}x`,
      ]),
    )
    const more = [
      '//wiki/secret',
      '/./wiki/secret',
      '/wiki//secret',
      '/wiki/%73ecret',
      '/%77iki/secret',
      '/wiki;/secret',
      '/wiki%2fsecret',
      '/wiki/secret/../public',
      '/wiki/./secret/../public/x',
      '/wiki/secret/%252e%252e/public/x',
    ]
    for (const path of [...spellings, ...more]) {
      const before = guarded.site.seen.length
      await guarded.client.send([`GET ${path} HTTP/1.1\r\nHost: ${publicHost}\r\nConnection: close\r\n\r\n`])
      // A site may read the path as received, or normalise it.
      for (const { url } of guarded.site.seen.slice(before))
        for (const read of [url, decodeURIComponent(url), posix.normalize(decodeURIComponent(url))])
          assert.match(read, /^\/wiki\/public\//, `${path} came as ${url}`)
    }
  },

  'while the auth server is down no request is admitted': async (guarded) => {
    const { cookie, end } = guarded
    await end()
    for (const path of ['/wiki/x', '/wiki/api/x'])
      for (const ask of [{}, { cookies: [cookie] }, ...lies, { method: 'POST', cookies: [cookie] }]) {
        const { status } = await refused(guarded, path, ask)
        assert.ok(status >= 500, `${status}`)
      }
    await reached(guarded, '/wiki/public/x', {})
  },
}

/** Returns the request as the site saw it. Fails if it did not get there. */
async function reached({ client, site }: Guarded, path: string, ask: Ask): Promise<Seen> {
  const before = site.seen.length
  const told = await client.ask(path, ask)
  assert.deepEqual([told.status, told.text], [200, welcome], path)
  assert.equal(site.seen.length, before + 1)
  const seen = site.seen.at(-1)
  assert.ok(seen)
  return seen
}

/** Returns the response to a request that must not reach the site. */
async function refused({ client, site }: Guarded, path: string, ask: Ask = {}): Promise<Told> {
  const before = site.seen.length
  const told = await client.ask(path, ask)
  assert.notEqual(told.status, 200, path)
  assert.equal(site.seen.length, before, path)
  return told
}

/** Returns what reaches a site in anything it may take for one of our headers. Headers without a value are omitted. */
function saidOf(seen: Seen | undefined): Record<string, readonly string[]> {
  const alike = Object.entries(seen?.headers ?? {}).filter(([name]) => /^x[^a-z0-9]auth/.test(name))
  return Object.fromEntries(alike.filter(([, values]) => values.join('') !== ''))
}

function said(userId: string, username: string, email: string, roles = ''): Record<string, readonly string[]> {
  const values = { 'x-auth-user': userId, 'x-auth-username': username, 'x-auth-email': email, 'x-auth-roles': roles }
  return Object.fromEntries(Object.entries(values).flatMap(([name, value]) => (value === '' ? [] : [[name, [value]]])))
}

function bearing(token: string): Ask {
  return { headers: { authorization: `Bearer ${token}` } }
}

function pairOf(cookie: string): string {
  return cookie.split(';')[0] ?? ''
}

/** Returns the hidden fields of the first form on a page. */
function hiddenFields(page: string): Record<string, string> {
  const [form = ''] = page.split('</form>')
  const fields = form.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)
  const plain = (value: string) => value.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)))
  return Object.fromEntries([...fields].map(([, name = '', value = '']) => [name, plain(value)]))
}
