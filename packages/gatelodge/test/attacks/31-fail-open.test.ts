import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sql } from 'kysely'
import { needsSession } from '../../src/http/route.ts'
import { forEachDatabase, type TestApp, testApp } from '../support/app.ts'
import { askEveryRoute, turn } from '../support/attack.ts'

const token = `${'A'.repeat(22)}.${'B'.repeat(43)}`

/** Drops a table until the end of the test. The next test may get the same database. */
async function breakTable(app: TestApp, table: string): Promise<AsyncDisposable> {
  const rename = (from: string, to: string) =>
    sql`alter table ${sql.table(from)} rename to ${sql.table(to)}`.execute(app.deps.store.migrationDb)
  await rename(table, `${table}_gone`)
  return {
    async [Symbol.asyncDispose]() {
      await rename(`${table}_gone`, table)
    },
  }
}

/** Asserts that a failure reveals nothing about its cause. */
function assertClosed(told: { status: number; text: string; setCookies: readonly string[] }, name: string): void {
  assert.ok(told.status === 500 || told.status === 503, `${name}: ${told.status} ${told.text}`)
  assert.deepEqual(told.setCookies, [], name)
  assert.doesNotMatch(told.text, /table|relation|sql|select|insert|\.ts|access_token/i, name)
}

forEachDatabase('31 fail-open', (engine) => {
  test('a malformed credential is a refusal on every route that needs one', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const cookie = await app.cookie(ada)
    for (const value of [
      '',
      '.',
      '..',
      'null',
      'undefined',
      '{}',
      '[object Object]',
      token,
      `${cookie}x`,
      cookie.slice(0, -1),
      `"${cookie}"`,
      `${cookie}.${cookie}`,
      '%00',
      'a'.repeat(5_000),
      encodeURIComponent(`${cookie}=`),
    ]) {
      const told = await askEveryRoute(
        app,
        () => ({ headers: { cookie: `gatelodge=${value}`, 'sec-fetch-site': 'same-origin' } }),
        needsSession,
      )
      for (const { name, status } of told) assert.equal(status, 401, `${name} ${value}`)
    }
    for (const value of [
      '',
      'Bearer',
      'bearer ',
      'Bearer  ',
      'Bearer null',
      'Bearer undefined',
      `Bearer ${token}`,
      'Bearer Basic',
      'Bearer\tx',
      `Bearer ${token}, Bearer ${token}`,
      'Bearer\u00a0x',
      token,
    ]) {
      // An invalid Authorization header must not fall back to a valid cookie.
      const told = await app.get('/session', { cookie, headers: { authorization: value } })
      assert.equal(told.status, 401, value)
    }
    assert.equal((await app.get('/session', { cookie })).status, 200)
  })

  test('without its counters the server accepts no password guesses', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const { access } = await app.tokens(ada)
    await using _broken = await breakTable(app, 'limit_counters')
    for (const [path, body] of [
      ['/signin', { email: ada.email, password: ada.password }],
      ['/signin', { email: ada.email, password: 'wrong harbour' }],
      ['/forgot-password', { email: ada.email }],
      ['/refresh', { refresh_token: token }],
      ['/reset-password', { token, new_password: 'another harbour 53' }],
    ] as const) {
      assertClosed(await app.post(path, body), path)
    }
    assertClosed(
      await app.post(
        '/change-password',
        { old_password: ada.password, new_password: 'another harbour 53' },
        { bearer: access },
      ),
      'change',
    )
  })

  test('what cannot be recorded does not happen', async () => {
    await using app = await testApp({ engine, env: { GATELODGE_RATE_LIMITS: 'off' } })
    const ada = await app.user()
    const { access, refresh } = await app.tokens(ada)
    await app.post('/forgot-password', { email: ada.email })
    const { token: link } = await app.lastMail(ada.email)
    const before = [
      await app.rows('users'),
      await app.rows('sessions'),
      await app.rows('refresh_tokens'),
      await app.rows('one_time_tokens'),
    ]
    await using _broken = await breakTable(app, 'events')

    assertClosed(await app.post('/signin', { email: ada.email, password: ada.password }), 'sign-in')
    assertClosed(await app.post('/signin', { email: ada.email, password: 'wrong harbour' }), 'wrong sign-in')
    assertClosed(await app.post('/reset-password', { token: link, new_password: 'another harbour 53' }), 'reset')
    assertClosed(await app.post('/refresh', { refresh_token: refresh }), 'refresh')
    assertClosed(
      await app.post('/change-email', { new_email: 'new@example.com', password: ada.password }, { bearer: access }),
      'email change',
    )
    assertClosed(await app.get('/me/export', { bearer: access }), 'export')
    assertClosed(await app.delete('/me', { bearer: access }, { password: ada.password }), 'delete')
    assert.deepEqual(
      [
        await app.rows('users'),
        await app.rows('sessions'),
        await app.rows('refresh_tokens'),
        await app.rows('one_time_tokens'),
      ],
      before,
    )
  })

  test('without its sessions table the server authenticates no caller, not even one it has cached', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const cookie = await app.cookie(ada)
    const { access } = await app.tokens(ada)
    await using _broken = await breakTable(app, 'sessions')
    assertClosed(await app.get('/session', { headers: { cookie: `gatelodge=${token}` } }), 'unknown')
    for (const ask of [{ bearer: access }, { cookie }]) {
      const told = await app.get('/me/sessions', ask)
      assertClosed(told, 'list')
    }
  })

  test('with the database gone every route that needs it fails closed, and the process goes on', async () => {
    const app = await testApp({ engine })
    const ada = await app.user()
    const cookie = await app.cookie(ada)
    const { access } = await app.tokens(ada)
    await app.get('/session', { cookie })
    await app.deps.store.close()
    await turn()

    for (const ask of [{ cookie }, { bearer: access }]) {
      const told = await askEveryRoute(app, () => ask, needsSession)
      for (const answer of told) assert.ok(answer.status >= 400, `${answer.name}: ${answer.status}`)
    }
    assertClosed(await app.post('/signin', { email: ada.email, password: ada.password }), 'sign-in')
    assertClosed(await app.post('/signup', { email: 'x@example.com', password: 'quiet harbour 52' }), 'sign-up')
    const ready = await app.get('/readyz')
    assert.deepEqual([ready.status, ready.code], [503, 'service_unavailable'])
    assert.equal((await app.get('/healthz')).status, 200)
    await app.deps.hasher.close()
  })

  test('without a hashing thread no user can sign in', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    await app.deps.hasher.close()
    for (const password of [ada.password, 'wrong harbour']) {
      const told = await app.post('/signin', { email: ada.email, password })
      assert.deepEqual([told.status, told.setCookies], [503, []])
    }
    assert.equal((await app.rows('sessions')).length, 0)
  })

  test('with the mail server gone a sign-up waits and no account appears', async () => {
    await using app = await testApp({ engine, env: { GATELODGE_SMTP_URL: 'smtp://127.0.0.1:1' } })
    assert.equal((await app.post('/signup', { email: 'ada@example.com', password: 'quiet harbour 52' })).status, 201)
    await app.composition.deliverMail()
    assert.deepEqual(
      (await app.rows('mails')).map(({ state, attempts }) => [state, attempts]),
      [['sending', 1]],
    )
    assert.deepEqual(await app.rows('users'), [])
    assert.equal(
      (await app.post('/signin', { email: 'ada@example.com', password: 'quiet harbour 52' })).code,
      'invalid_credentials',
    )
  })
})
