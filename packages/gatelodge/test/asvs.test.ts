import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { decodeJwt, SignJWT } from 'jose'
import { sql } from 'kysely'
import { readSigningKeys } from '../src/domain/signing-keys.ts'
import { buildOpenApi } from '../src/http/openapi.ts'
import { needsSession } from '../src/http/route.ts'
import { createLog } from '../src/output/log.ts'
import { assets, enhancements } from '../src/pages/assets.ts'
import { routes } from '../src/routes.ts'
import { forEachDatabase, type TestApp, type Told, testApp } from './support/app.ts'
import { askEveryRoute } from './support/attack.ts'
import { listen, request } from './support/wire.ts'

// Requirements of ASVS 5.0.0 that no other suite covers; docs/evidence/asvs.json names the items.

const source = fileURLToPath(new URL('../src/', import.meta.url))
const https = { GATELODGE_PUBLIC_URL: 'https://auth.example', GATELODGE_INSECURE_HTTP: 'yes' }
const unlimited = { GATELODGE_RATE_LIMITS: 'off' }
const document = buildOpenApi(routes, { serviceName: 'Gatelodge', publicUrl: 'http://localhost:3000', version: 'test' })

/** Returns the response of every route without and with a session, of every file, and of every kind of miss. */
async function everyAnswer(app: TestApp, bearer: string): Promise<(Told & { readonly name: string })[]> {
  return [
    ...(await askEveryRoute(app, () => ({}))),
    ...(await askEveryRoute(
      app,
      () => ({ bearer }),
      ({ method }) => method === 'GET',
    )),
    ...(await Promise.all(assets.map(async ({ path }) => ({ ...(await app.get(path)), name: path })))),
    { ...(await app.get('/verify-email?token=x')), name: 'redirect' },
    { ...(await app.get('/nowhere')), name: 'nowhere' },
    { ...(await app.get('/signin')), name: 'wrong method' },
    { ...(await app.ask('OPTIONS', '/signin')), name: 'preflight' },
    { ...(await app.post('/signin', '{')), name: 'broken body' },
  ]
}

forEachDatabase('ASVS', (engine) => {
  test('over https every answer carries HSTS for two years and all sub-domains, isolates its window and loads no plug-in', async () => {
    await using app = await testApp({ engine, env: { ...https, ...unlimited } })
    const { access } = await app.tokens(await app.user())
    const answers = await everyAnswer(app, access)
    const db = app.deps.store.migrationDb
    await sql`alter table users rename to users_gone`.execute(db)
    answers.push({ ...(await app.post('/signin', { email: 'a@example.com', password: 'x' })), name: 'internal' })
    await sql`alter table users_gone rename to users`.execute(db)
    await app.deps.store.close()
    answers.push({ ...(await app.get('/readyz')), name: 'unavailable' })

    const statuses = new Set(answers.map(({ status }) => status))
    for (const status of [200, 204, 303, 400, 401, 404, 405, 500, 503]) assert.ok(statuses.has(status), `${status}`)
    for (const { name, headers } of answers) {
      assert.equal(headers.get('strict-transport-security'), 'max-age=63072000; includeSubDomains', name)
      assert.equal(headers.get('cross-origin-opener-policy'), 'same-origin', name)
      assert.equal(headers.get('cross-origin-resource-policy'), 'same-origin', name)
      const policy = headers.get('content-security-policy') ?? ''
      // Without a directive of its own, object-src falls back to default-src (CSP level 3, section 6.1).
      assert.match(policy, /^default-src 'none';.*base-uri 'none'/, name)
      assert.doesNotMatch(policy, /object-src|script-src (?!'self';)|unsafe/, name)
    }
  })

  test('every body says what it is, text with its charset, and none but our own file is a script', async () => {
    await using app = await testApp({
      engine,
      env: { ...unlimited, GATELODGE_SECURITY_CONTACT: 'mailto:security@example.com' },
    })
    const { access } = await app.tokens(await app.user())
    const known = new Set([
      'application/json; charset=utf-8',
      'application/jwk-set+json',
      'application/problem+json',
      'text/html; charset=utf-8',
      'text/plain; charset=utf-8',
      ...assets.map(({ contentType }) => contentType),
    ])
    for (const { name, text, headers } of await everyAnswer(app, access)) {
      const type = headers.get('content-type')
      if (text === '') continue
      assert.ok(type !== null && known.has(type), `${name}: ${type}`)
      if (type.startsWith('text/')) assert.match(type, /; charset=utf-8$/, name)
      if (name !== enhancements.path) assert.doesNotMatch(type, /script/, name)
    }
    const told = await app.get('/session?callback=steal&jsonp=steal', { bearer: access })
    assert.equal(told.headers.get('content-type'), 'application/json; charset=utf-8')
    assert.equal(told.text.startsWith('{'), true)
  })

  test('every cookie is host-only, Secure, HttpOnly and SameSite=Lax, short, and its value stands nowhere else', async () => {
    await using app = await testApp({ engine, env: { ...https, ...unlimited } })
    const ada = await app.user()
    const signIn = { email: ada.email, password: ada.password, session: 'cookie', remember: true }
    const signedIn = await app.post('/signin', signIn)
    const headers = {
      cookie: `__Host-gatelodge=${signedIn.cookie('__Host-gatelodge')}`,
      'sec-fetch-site': 'same-origin',
    }
    const again = await app.post('/reauthenticate', { password: ada.password }, { headers })
    const fresh = {
      headers: { ...headers, cookie: `__Host-gatelodge=${again.cookie('__Host-gatelodge')}` },
    }
    const told = [
      await app.post('/signup', { email: 'eve@example.com', password: 'quiet harbour 52' }),
      signedIn,
      again,
      await app.get('/session', fresh),
      await app.get('/me/sessions', fresh),
      await app.get('/me/export', fresh),
      await app.post('/signout', {}, fresh),
    ]

    const cookies = told.flatMap(({ setCookies }) => setCookies)
    const names = new Set(cookies.map((cookie) => cookie.split('=')[0]))
    assert.deepEqual(names, new Set(['__Host-gatelodge-signup', '__Host-gatelodge', '__Host-gatelodge-device']))
    for (const cookie of cookies) {
      assert.match(cookie, /^[^=]+=[^;]*; Path=\/; HttpOnly; SameSite=Lax; Secure(?:; Max-Age=\d+)?$/)
      const [pair = ''] = cookie.split(';', 1)
      assert.ok(pair.length <= 4_096, pair)
      const secret = pair.split('.')[1]
      if (!secret) continue
      for (const { text, headers } of told) {
        headers.delete('set-cookie')
        assert.equal((text + JSON.stringify([...headers])).includes(secret), false, pair)
      }
    }
  })

  test('a credential in the address of a request is not looked at', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const { access } = await app.tokens(ada)
    const cookie = await app.cookie(ada)
    for (const name of ['access_token', 'token', 'bearer', 'session', 'gatelodge', 'authorization']) {
      for (const value of [access, cookie, `Bearer ${access}`]) {
        const told = await app.get(`/session?${name}=${encodeURIComponent(value)}`)
        assert.deepEqual([told.status, told.code], [401, 'not_authenticated'], name)
      }
    }
  })

  test('a sign-out has the browser clear what it kept', async () => {
    await using app = await testApp({ engine })
    const cookie = await app.cookie(await app.user())
    const told = await app.post('/signout', {}, { cookie })
    assert.equal(told.headers.get('clear-site-data'), '"cache", "storage"')
    assert.match(told.setCookies.join(), /^gatelodge=; .*Max-Age=0$/)
  })

  test('a password does not age', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    app.clock.advance(5 * 365 * 86_400_000)
    assert.equal((await app.post('/signin', { email: ada.email, password: ada.password })).status, 200)
  })

  test('passwords of 64, 128 and 1,024 characters of any script are accepted and sign in', async () => {
    await using app = await testApp({ engine, env: unlimited })
    for (const length of [64, 128, 1_024]) {
      for (const unit of ['quiet harbour ', 'тихая гавань ', '😀🐎🔋📎🌊⛵🪨🌙', '静かな港の朝の光']) {
        const password = [...unit.repeat(128)].slice(0, length).join('').replace(/ $/, '.')
        const ada = await app.user({ password })
        assert.equal((await app.post('/signin', { email: ada.email, password })).status, 200, `${length} ${unit}`)
      }
    }
  })

  test('the key set publishes public members of strong signing keys only, each under its own id', async () => {
    await using app = await testApp({ engine })
    const { keys } = (await app.get('/.well-known/jwks.json')).json
    assert.equal(new Set(keys.map(({ kid }: { kid: string }) => kid)).size, keys.length)
    for (const key of keys) {
      assert.deepEqual(Object.keys(key).toSorted(), ['alg', 'crv', 'key_ops', 'kid', 'kty', 'use', 'x'])
      assert.deepEqual([key.kty, key.crv, key.alg, key.use], ['OKP', 'Ed25519', 'EdDSA', 'sig'])
    }
  })

  test('a genuine token is refused from its exp on, and without an exp that is a number', async () => {
    await using app = await testApp({ engine })
    const { access } = await app.tokens(await app.user())
    const [key] = await readSigningKeys(app.deps)
    assert.ok(key)
    const now = Math.floor(app.clock.now() / 1_000)
    const signed = async (claims: object) => {
      const payload = { ...decodeJwt(access), ...claims }
      return new SignJWT(payload).setProtectedHeader({ alg: key.alg, kid: key.kid, typ: 'at+jwt' }).sign(key.privateKey)
    }
    const status = async (claims: object) => (await app.get('/session', { bearer: await signed(claims) })).status
    assert.equal(await status({}), 200)
    for (const claims of [{ exp: now }, { exp: now - 1 }, { exp: `${now + 60}` }, { exp: undefined }, { exp: null }]) {
      assert.equal(await status(claims), 401, JSON.stringify(claims))
    }
  })

  test('a download has the name that the server gives it', async () => {
    await using app = await testApp({ engine })
    const { access } = await app.tokens(await app.user())
    const told = await app.get('/me/export?filename=evil.html&name=%22;x', { bearer: access })
    assert.equal(told.headers.get('content-disposition'), 'attachment; filename="account.json"')
  })

  test('nothing of the installation but its pages’ files is served, and no folder is listed', async () => {
    await using app = await testApp({ engine })
    await using wire = await listen(app)
    for (const path of [
      ...['/.git/config', '/.env', '/package.json', '/package-lock.json', '/data/gatelodge.db', '/data/secret'],
      ...['/assets', '/assets/', '/assets/../package.json', '/assets/%2e%2e/src/main.ts', '/assets/tokens.css.bak'],
      ...['/src/main.ts', '/main.js.map', '/index.html', '/.DS_Store'],
      ...['/server-status', '/debug', '/metrics', '/admin'],
    ]) {
      const [answer] = await wire.send(request(`GET ${path}`))
      assert.equal(answer?.status, 404, path)
    }
  })

  test('no header names the software, and HEAD answers the length of GET without the body', async () => {
    await using app = await testApp({ engine })
    await using wire = await listen(app)
    for (const path of ['/healthz', '/docs', '/openapi.json', '/nowhere', '/api/v1/auth/session']) {
      const [got] = await wire.send(request(`GET ${path}`))
      const [head] = await wire.send(request(`HEAD ${path}`))
      assert.deepEqual([head?.status, head?.body], [got?.status, ''], path)
      const length = got?.headers.get('content-length')
      assert.deepEqual(length, [String(Buffer.byteLength(got?.body ?? ''))], path)
      assert.deepEqual(head?.headers.get('content-length') ?? length, length, path)
      for (const name of ['server', 'x-powered-by', 'via', 'x-runtime'])
        assert.equal(got?.headers.has(name), false, name)
    }
    for (const line of ['GET /api/v1/auth/verify-email?token=x', 'OPTIONS /api/v1/auth/signin']) {
      const [answer] = await wire.send(request(line))
      assert.equal(answer?.body, '', line)
      assert.ok(['0', undefined].includes(answer?.headers.get('content-length')?.[0]), line)
    }
  })

  test('every route that needs a session rejects callers without one or with an ended one, and only the known routes are public', async () => {
    await using app = await testApp({ engine, env: unlimited })
    const ada = await app.user()
    const [cookie, { access }] = [await app.cookie(ada), await app.tokens(ada)]
    await app.post('/signout', {}, { cookie })
    await app.post('/signout', {}, { bearer: access })
    for (const [ask, code] of [
      [{}, 'not_authenticated'],
      [{ cookie }, 'token_invalid'],
      [{ bearer: access }, 'token_invalid'],
    ] as const) {
      const told = await askEveryRoute(app, () => ask, needsSession)
      assert.ok(told.length >= 12)
      for (const answer of told) assert.deepEqual([answer.status, answer.code], [401, code], answer.name)
      assert.equal((await app.get('/validate', ask)).code, 'token_invalid')
    }

    const open = routes.filter((route) => !needsSession(route)).map(({ path }) => path.replace('/api/v1/auth', ''))
    assert.deepEqual([...new Set(open)].toSorted(), [
      '/.well-known/jwks.json',
      '/.well-known/oauth-authorization-server',
      '/.well-known/security.txt',
      '/assets/:file',
      '/avatars/:file',
      '/change-email/confirm',
      '/change-email/undo',
      '/dev/mailbox',
      '/dev/mailbox/:id',
      '/dev/mailbox/:id/html',
      '/docs',
      '/forgot-password',
      '/forward-auth', // requires a session itself: see its own test
      '/healthz',
      '/oauth2/introspect', // for service clients
      '/oauth2/revoke',
      '/oauth2/token',
      '/openapi.json',
      '/readyz',
      '/refresh',
      '/reset-password',
      '/security/undo',
      '/signin',
      '/signin/new-password',
      '/signout',
      '/signup',
      '/username-available',
      '/validate', // requires a session itself: see above
      '/verify-email',
      '/verify-email/resend',
    ])
  })

  test('every event says when, what, about whom, from where and in which request', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const start = (await app.rows('events')).length
    await app.post('/signin', { email: ada.email, password: 'wrong harbour' }, { ip: '203.0.113.9' })
    await app.post('/signin', { email: 'nobody@example.com', password: 'wrong harbour' })
    const { access } = await app.tokens(ada)
    await app.post('/reauthenticate', { password: 'wrong harbour' }, { bearer: access })
    await app.post(
      '/change-password',
      { old_password: 'wrong', new_password: 'another harbour 53' },
      { bearer: access },
    )
    await app.post('/reauthenticate', { password: ada.password }, { bearer: access })

    const events = (await app.rows('events')).slice(start)
    for (const event of events) {
      assert.equal(event.at, app.clock.now())
      assert.match(String(event.request_id), /^[0-9a-f-]{36}$/)
      assert.match(String(event.ip), /^(?:203\.0\.113\.9|192\.0\.2\.1)$/)
      // The user agent of strangers is not stored for events about no user.
      assert.equal(event.user_agent, String(event.data).includes('unknown_user') ? null : 'tests')
    }
    const outcomes = events.map(({ name, user_id, data }) => [name, user_id, JSON.parse(String(data))])
    const told = outcomes.map(([name, user, data]) => [
      name,
      user === ada.id,
      data.reason ?? data.methods ?? data.method,
    ])
    assert.deepEqual(told, [
      ['signin.failed', true, 'wrong_password'],
      ['signin.failed', false, 'unknown_user'],
      ['session.started', true, ['pwd']],
      ['reauthentication.failed', true, undefined],
      ['reauthentication.failed', true, undefined],
      ['reauthentication.succeeded', true, 'pwd'],
      ['session.ended', true, 'replaced'],
      ['session.started', true, ['pwd']],
    ])
  })
})

test('no answer may hold a field that its schema does not name, the key set and the OpenAPI document aside', () => {
  const open = new Set<string>()
  function walk(at: string, value: unknown): void {
    if (typeof value !== 'object' || value === null) return
    if ('type' in value && value.type === 'object' && 'properties' in value) {
      if (!('additionalProperties' in value) || value.additionalProperties !== false) open.add(at)
    }
    for (const [key, inner] of Object.entries(value)) walk(`${at}/${key}`, inner)
  }
  walk('#', { components: document.components, paths: document.paths })
  assert.deepEqual(
    [...open]
      .filter((at) => !/^#\/paths\/\/(?:openapi|\.well-known\/jwks)\.json\//.test(at))
      .filter((at) => !at.includes('/requestBody/content/application/x-www-form-urlencoded/')), // RFC 6749: unknown parameters are ignored
    [],
  )
})

test('a log line is one JSON object with its time in UTC, and format characters are not looked at', async () => {
  const lines: string[] = []
  const log = await createLog({ write: (text) => void lines.push(text) }, 'info')
  log.warn({ agent: 'a\r\n{"level":"error"}\u001b[0m' }, '%s %d %j %n {agent}')
  log.error({ err: new Error('one\ntwo') }, 'failed')
  log.debug({}, 'not at this level')
  assert.equal(lines.length, 2)
  for (const line of lines) {
    assert.equal(line.indexOf('\n'), line.length - 1)
    assert.match(JSON.parse(line).time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  }
  assert.equal(JSON.parse(lines[0] ?? '').msg, '%s %d %j %n {agent}')
})

test('no source runs text as code or as a program, draws a weak number, weakens TLS, follows a redirect or writes markup past the escaping', () => {
  const forbidden =
    /\beval\(|\bnew Function\b|child_process|node:vm|\bMath\.random\b|\bsql\.(?:raw|lit)\b|innerHTML|insertAdjacentHTML|outerHTML|document\.write|deserialize\(|rejectUnauthorized: false|['"](?:md5|sha-?1|des|rc4|aes-\d+-(?:ecb|cbc))\b/i
  // Only one program is started: our own decoder, without a shell.
  const decoder = /^domain\/avatars\/decoder-process\.ts: import \{ type ChildProcess, fork \} from/
  assert.deepEqual(
    lines(forbidden).filter((line) => !decoder.test(line)),
    [],
  )
  const fetching = sources().filter(({ text }) => /\bawait fetch\(/.test(text))
  assert.deepEqual(
    fetching.map(({ name, text }) => [name, text.match(/redirect: '\w+'/g)]),
    [['cli/doctor/network.ts', ["redirect: 'manual'"]]],
  )
  assert.deepEqual(
    lines(/\bnew RegExp\(/).map((line) => line.split(':')[0]),
    ['domain/identifiers/email.ts', 'domain/identifiers/username.ts'], // built from constants
  )
})

function sources(): { name: string; text: string }[] {
  return readdirSync(source, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .map((name) => ({ name, text: readFileSync(source + name, 'utf8') }))
}

/** Returns the matching lines of the sources, each prefixed with its file name. */
function lines(pattern: RegExp): string[] {
  return sources().flatMap(({ name, text }) =>
    text.split('\n').flatMap((line) => (pattern.test(line) ? [`${name}: ${line.trim()}`] : [])),
  )
}
