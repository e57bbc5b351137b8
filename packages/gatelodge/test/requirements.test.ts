import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { sql } from 'kysely'
import { needsSession } from '../src/http/route.ts'
import { routes } from '../src/routes.ts'
import { composeTest, forEachDatabase, type Person, TestApp, type Told, testApp } from './support/app.ts'
import { askEveryRoute, stored, tables } from './support/attack.ts'
import { testAuth } from './support/auth.ts'
import { databaseSettings, freshDatabase } from './support/databases.ts'
import { type LogLine, testClock } from './support/deps.ts'

// What earlier systems promised or got wrong and no other test covers; docs/evidence names these tests row by row.

const root = fileURLToPath(new URL('../../../', import.meta.url))
const password = 'quiet harbour 52'
const minute = 60_000

test('every route of the systems before has its counterpart in the one route table', () => {
  const authentication = routes.filter(({ tag }) => tag === 'Authentication')
  const declared = authentication.map(({ method, path }) => `${method} ${path}`)
  assert.deepEqual(
    declared.filter((line) => !line.includes(' /api/v1/auth/')),
    [],
  )
  for (const line of [
    'POST signup',
    'POST signin',
    'POST signout',
    'POST refresh',
    'GET validate',
    'GET session',
    'GET username-available',
    'POST verify-email',
    'GET verify-email',
    'POST verify-email/resend',
    'POST forgot-password',
    'POST reset-password',
    'POST change-password',
    'PATCH me',
  ]) {
    assert.ok(declared.includes(line.replace(' ', ' /api/v1/auth/')), line)
  }
})

forEachDatabase('requirements', (engine) => {
  test('a field that is missing, null, empty or no text is refused by its name', async () => {
    await using app = await testApp({ engine, env: { GATELODGE_RATE_LIMITS: 'off' } })
    const needed: Readonly<Record<string, readonly string[]>> = {
      '/signup': ['email', 'password'],
      '/verify-email': ['token'],
      '/verify-email/resend': ['email'],
      '/forgot-password': ['email'],
      '/reset-password': ['token', 'new_password'],
      '/refresh': ['refresh_token'],
      '/change-email/confirm': ['token'],
    }
    for (const [path, fields] of Object.entries(needed)) {
      for (const value of [undefined, null, '', 7, [], {}]) {
        const told = await app.post(path, Object.fromEntries(fields.map((field) => [field, value])))
        assert.deepEqual([told.status, told.code], [400, 'input_invalid'], `${path} ${JSON.stringify(value)}`)
        assert.deepEqual(fieldsOf(told), fields.toSorted(), `${path} ${JSON.stringify(value)}`)
      }
      for (const body of ['', '{', 'null', '[]', '"x"']) assert.equal((await app.post(path, body)).status, 400, path)
    }
    assert.deepEqual(fieldsOf(await app.post('/signup', { email: 'ada', password })), ['email'])
    assert.deepEqual(fieldsOf(await app.post('/signin', { email: 'ada@example.com' })), ['password'])
  })

  test('a signed-in user can read every field of their account and the time of their last sign-in', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user({ firstName: 'Ada' })
    app.clock.advance(minute)
    const { json } = await app.get('/me', { cookie: await app.cookie(ada) })
    assert.deepEqual(json, {
      id: ada.id,
      email: ada.email,
      email_verified: true,
      username: ada.username,
      first_name: 'Ada',
      last_name: '',
      fullname: 'Ada',
      avatar_url: null,
      is_active: true,
      is_staff: false,
      roles: [],
      created_at: new Date(app.clock.now() - minute).toISOString(),
      last_login_at: new Date(app.clock.now()).toISOString(),
      profile: { phone_number: null, website: null, github_link: null, birth_date: null, locale: null },
    })
  })

  test('an account and its profile come into being together or not at all', async () => {
    await using app = await testApp({ engine })
    await app.post('/signup', { email: 'ada@example.com', password })
    const { token } = await app.lastMail('ada@example.com')
    const db = app.deps.store.migrationDb

    await sql`alter table profiles rename to profiles_gone`.execute(db)
    assert.equal((await app.post('/verify-email', { token, password })).status, 500)
    assert.deepEqual(await app.rows('users'), [])
    await sql`alter table profiles_gone rename to profiles`.execute(db)
    assert.equal((await app.post('/verify-email', { token, password })).status, 200)
    assert.deepEqual([(await app.rows('users')).length, (await app.rows('profiles')).length], [1, 1])
  })

  test('each link and token lives as long as its own setting says, and the mail tells the same and leads to the front end', async () => {
    await using app = await testApp({
      engine,
      env: {
        GATELODGE_VERIFY_TTL: '50m',
        GATELODGE_RESET_TTL: '5m',
        GATELODGE_ACCESS_TOKEN_TTL: '2m',
        GATELODGE_FRONTEND_URL: 'https://app.example/auth',
      },
    })
    const email = 'ada@example.com'
    const signUpMail = async () => {
      await app.post('/signup', { email, password })
      return app.lastMail(email)
    }
    const late = await signUpMail()
    assert.match(late.link, /^https:\/\/app\.example\/auth\/verify-email\?token=/)
    assert.match(late.text, /expires in 50 minutes, on Friday, November 20, 2026 at 10:55 AM UTC/)
    app.clock.advance(50 * minute)
    assert.equal((await app.post('/verify-email', { token: late.token, password })).code, 'token_invalid')
    const intime = await signUpMail()
    app.clock.advance(50 * minute - 1)
    assert.equal((await app.post('/verify-email', { token: intime.token, password })).status, 200)

    const { json } = await app.post('/signin', { email, password })
    assert.equal(json.expires_in, 120)
    app.clock.advance(2 * minute)
    assert.equal((await app.get('/session', { bearer: json.access_token })).code, 'token_invalid')

    await app.post('/forgot-password', { email })
    const reset = await app.lastMail(email)
    assert.match(reset.link, /^https:\/\/app\.example\/auth\/reset-password\?token=/)
    assert.match(reset.text, /expires in 5 minutes/)
    app.clock.advance(5 * minute)
    const told = await app.post('/reset-password', { token: reset.token, new_password: 'another harbour 53' })
    assert.equal(told.code, 'token_invalid')
  })

  test('an unexpected failure is a 500 of the usual shape without internals, and a log line with the same instance', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const { access } = await app.tokens(ada)
    await sql`alter table limit_counters rename to limit_counters_gone`.execute(app.deps.store.migrationDb)
    for (const [path, body] of [
      ['/signup', { email: 'eve@example.com', password }],
      ['/signin', { email: ada.email, password }],
      ['/forgot-password', { email: ada.email }],
      ['/reset-password', { token: 'x', new_password: 'another harbour 53' }],
      ['/change-password', { old_password: password, new_password: 'another harbour 53' }],
    ] as const) {
      const { status, json } = await app.post(path, body, path === '/change-password' ? { bearer: access } : {})
      const { instance, ...rest } = json
      const told = { title: 'Internal error', code: 'internal', detail: 'Something went wrong on our side' }
      assert.deepEqual([status, rest], [500, { type: 'urn:gatelodge:problem:internal', status: 500, ...told }], path)
      assert.ok(app.logged.some((line) => line.level === 'error' && line.instance === instance))
    }
    await sql`alter table limit_counters_gone rename to limit_counters`.execute(app.deps.store.migrationDb)
  })

  test('success and refusal are told by events, and neither log nor events hold an address or a secret', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user({ email: 'ada@example.com' })
    await app.post('/signin', { email: ada.email, password: 'wrong harbour' })
    const { refresh } = await app.tokens(ada)
    const renewed = await app.post('/refresh', { refresh_token: refresh })
    await app.post('/forgot-password', { email: ada.email })
    const { token } = await app.lastMail(ada.email)
    await app.post('/reset-password', { token, new_password: 'another harbour 53' })
    await app.post('/forgot-password', { email: 'nobody@example.com' })

    assert.deepEqual(
      (await app.events()).filter((name) => !name.startsWith('mail.')),
      [
        'signup.requested',
        'user.created',
        'email.verified',
        'signin.failed',
        'session.started',
        'refresh.rotated',
        'password_reset.requested',
        'password.reset',
        'password_reset.requested',
      ],
    )
    const told = JSON.stringify([app.logged, await app.rows('events')])
    assert.doesNotMatch(told, /@example\.com|harbour/)
    for (const text of [refresh, token, String(renewed.json.access_token)]) {
      assert.ok(!told.includes(text.split('.').at(-1) ?? ''))
    }
  })

  test('neither a password nor the secret of a token stands in any table', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const cookie = await app.cookie(ada)
    const { access, refresh } = await app.tokens(ada)
    await app.post('/forgot-password', { email: ada.email })
    const { token } = await app.lastMail(ada.email)
    await app.post('/signup', { email: 'eve@example.com', password: 'planted harbour 9' })

    const rows = JSON.stringify(await Promise.all(tables.map((table) => app.rows(table))))
    assert.match(rows, /\$argon2id\$/)
    assert.doesNotMatch(rows, /harbour/)
    for (const text of [cookie, refresh, token, access]) assert.ok(!rows.includes(text.split('.').at(-1) ?? ''), text)
  })

  test('what the library answers survives JSON unchanged', async () => {
    await using app = await testAuth({ engine, settings: { registration: 'instant' } })
    const { api } = app.auth
    await api.registerUser({ email: 'ada@example.com', password, username: 'ada' })
    const login = await api.loginUser({ username: 'ada', password })
    for (const answer of [
      login,
      await api.getCurrentUser(login.accessToken),
      await api.validateToken(login.accessToken),
      await api.introspectToken(login.accessToken),
      await api.introspectToken('garbage'),
      api.statelessLogout(),
    ]) {
      assert.deepEqual(JSON.parse(JSON.stringify(answer)), answer)
    }
  })

  test('without a log of its own the library prints JSON lines on standard error', async () => {
    await using database = await databaseSettings(engine)
    const script = `import { createAuth } from 'gatelodge'
    const settings = { database: '${database.env.GATELODGE_DATABASE ?? 'sqlite::memory:'}', rateLimits: 'off' }
    await (await createAuth({ settings, secret: 'x'.repeat(32), startJobs: false })).close()`
    const cwd = join(root, 'packages/gatelodge')
    const { promise, resolve, reject } = Promise.withResolvers<string>()
    execFile(process.execPath, ['--input-type=module', '-e', script], { cwd }, (error, stdout, stderr) =>
      error || stdout !== '' ? reject(error ?? new Error(stdout)) : resolve(stderr),
    )
    const lines: unknown[] = (await promise)
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line))
    assert.ok(lines.some((line) => JSON.stringify(line).includes("rateLimits: 'off'")))
  })

  test('a new server has no account, and the usual names and passwords open nothing', async () => {
    await using app = await testApp({ engine })
    for (const table of ['users', 'user_roles', 'sessions', 'usernames'] as const) {
      assert.deepEqual(await app.rows(table), [], table)
    }
    for (const name of ['admin', 'guest', 'root', 'administrator']) {
      for (const word of [name, 'admin', 'password', 'guest']) {
        const told = await app.post('/signin', { identifier: name, password: word }, { ip: `203.0.113.${name.length}` })
        assert.equal(told.status, 401, `${name} ${word}`)
      }
    }
  })

  test('however many users are signed in, none is locked out by the others', async () => {
    await using app = await testApp({ engine })
    const people: Person[] = []
    for (let index = 0; index < 12; index += 1) people.push(await app.user())
    const cookies: string[] = []
    for (const [index, person] of people.entries()) cookies.push(await app.cookie(person, { ip: `203.0.113.${index}` }))
    for (const [index, cookie] of cookies.entries()) {
      assert.equal((await app.get('/session', { cookie })).json.user.id, people[index]?.id)
    }
  })

  test('a password of SQL, comment signs and markup is a password like another', async () => {
    await using app = await testApp({ engine })
    for (const odd of ["'; drop table users; -- #1", '<script>alert(1)</script>', 'union/**/select \\ % _ * #']) {
      const ada = await app.user({ password: odd })
      assert.equal((await app.post('/signin', { email: ada.email, password: odd })).status, 200, odd)
      assert.equal((await app.post('/signin', { email: ada.email, password: `${odd} ` })).status, 401, odd)
    }
    assert.equal((await app.rows('users')).length, 3)
  })

  test('every route that needs a session rejects callers without one', async () => {
    await using app = await testApp({ engine })
    const told = await askEveryRoute(app, () => ({}), needsSession)
    assert.ok(told.length >= 10)
    for (const { name, status, code } of told) assert.deepEqual([status, code], [401, 'not_authenticated'], name)
  })

  test('a visitor who only reads leaves no row and gets no cookie', async () => {
    await using app = await testApp({ engine })
    const before = [await stored(app), await app.rows('events')]
    const told = await askEveryRoute(
      app,
      () => ({}),
      (route) => route.method === 'GET' && !needsSession(route) && !route.path.includes(':'),
    )
    for (const { name, setCookies } of told) assert.deepEqual(setCookies, [], name)
    assert.deepEqual([await stored(app), await app.rows('events')], before)
  })

  test('CORS answers listed origins only, and every answer forbids inline code and framing', async () => {
    await using app = await testApp({ engine, env: { GATELODGE_ALLOWED_ORIGINS: 'https://app.example' } })
    const allow = async (method: string, path: string, origin: string) =>
      (await app.ask(method, path, undefined, { headers: { origin } })).headers.get('access-control-allow-origin')
    for (const [method, path] of [
      ['GET', '/session'],
      ['OPTIONS', '/signin'],
      ['GET', '/docs'],
      ['GET', '/nowhere'],
    ] as const) {
      assert.equal(await allow(method, path, 'https://app.example'), 'https://app.example', path)
      for (const origin of ['https://evil.test', 'null', 'https://app.example.evil.test', 'http://app.example', '*']) {
        assert.equal(await allow(method, path, origin), null, `${path} ${origin}`)
      }
    }
    for (const path of ['/session', '/docs', '/nowhere', '/healthz', '/openapi.json']) {
      const { headers } = await app.get(path)
      const policy = headers.get('content-security-policy') ?? ''
      assert.match(policy, /^default-src 'none';.*frame-ancestors 'none'/, path)
      assert.doesNotMatch(policy, /unsafe|script-src (?!'self';)/, path)
      assert.equal(headers.get('x-content-type-options'), 'nosniff', path)
      assert.equal(headers.has('x-xss-protection'), false, path)
    }
  })

  test('failures are counted for all processes on one database, and the count ends with its time', async () => {
    const clock = testClock()
    const logged: LogLine[] = []
    const { location: database, release } = await freshDatabase(engine)
    try {
      await using first = new TestApp(await composeTest({ database }, clock, logged), clock, logged)
      await using second = new TestApp(await composeTest({ database }, clock, logged), clock, logged)
      const guess = (app: TestApp, round: number) =>
        app.post('/signin', { email: `p${round}@example.com`, password: 'wrong harbour' })
      for (let round = 0; round < 30; round += 1) {
        assert.equal((await guess(round % 2 ? first : second, round)).code, 'invalid_credentials')
      }
      assert.equal((await guess(first, 30)).code, 'rate_limited')
      const refused = await guess(second, 31)
      assert.equal(refused.code, 'rate_limited')
      clock.advance(Number(refused.headers.get('retry-after')) * 1_000)
      assert.equal((await guess(second, 32)).code, 'invalid_credentials')
    } finally {
      await release()
    }
  })

  test('each test has a server of its own, in memory, with people and a cheap hash', async () => {
    await using first = await testApp({ engine })
    await using second = await testApp({ engine })
    await first.user({ email: 'ada@example.com' })
    assert.match(String((await first.rows('users'))[0]?.password_hash), /^\$argon2id\$v=19\$m=8,t=1,p=1\$/)
    assert.deepEqual(await second.rows('users'), [])
    assert.equal(first.deps.config.database.kind, engine)
  })
})

test('no file of the project holds a private key, a cloud key or an environment file', () => {
  const secret =
    /-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----\s+[\w+/=]{40}|\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_\w{36}|\bxox[abp]-\w{10}/
  const untracked = new Set(['node_modules', '.git', 'data', 'dist', 'build', 'coverage', 'results'])
  const files = readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name).slice(root.length))
    .filter((path) => !path.split('/').some((part) => untracked.has(part)))
  assert.ok(files.length > 200)
  assert.deepEqual(
    files.filter((path) => /(?:^|\/)\.env|\.(?:pem|key|p12|pfx)$/.test(path)),
    [],
  )
  assert.deepEqual(
    files.filter((path) => secret.test(readFileSync(join(root, path), 'latin1'))),
    [],
  )
})

test('the packages have names of their own, few dependencies, and an integrity hash for each locked one', () => {
  const manifest = (folder: string) => JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'))
  const [server, client] = [manifest('packages/gatelodge'), manifest('packages/client')]
  assert.deepEqual([server.name, client.name], ['gatelodge', '@gatelodge/client'])
  assert.ok(Object.keys(server.dependencies).length <= 15)
  assert.deepEqual(client.dependencies, { jose: server.dependencies.jose })

  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { link?: boolean; integrity?: string }>
  }
  const unproved = Object.entries(packages).filter(
    ([path, { link, integrity }]) => path.startsWith('node_modules/') && !link && !integrity?.startsWith('sha512-'),
  )
  assert.deepEqual(unproved, [])
})

function fieldsOf({ json }: Told): string[] {
  return [...new Set((json.errors as { field: string }[]).map(({ field }) => field))].toSorted()
}
