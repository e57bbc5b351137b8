import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sql } from 'kysely'
import { createLog } from '../../src/output/log.ts'
import { composeTest, forEachDatabase, TestApp, testApp } from '../support/app.ts'
import { bareDatabase } from '../support/databases.ts'
import { testClock } from '../support/deps.ts'
import { listen, request } from '../support/wire.ts'

const secret = 'canary harbour 97'
const hostile = 'x\u2028\u009b2J{"level":"fatal"}\u202e'

forEachDatabase('33 log injection', (engine) => {
  test('the log is one JSON line for each entry, in ASCII controls or not, and knows no secret and no text of a caller', async () => {
    const lines: string[] = []
    const log = await createLog({ write: (text: string) => void lines.push(text) }, 'debug')
    const clock = testClock()
    const database = await bareDatabase(engine)
    await using app = new TestApp(
      await composeTest({ database: database.location, log }, clock, []),
      clock,
      [],
      database.release,
    )
    const ada = await app.user({ password: secret, firstName: 'Canary' })
    const { access, refresh } = await app.tokens(ada)
    const cookie = await app.cookie(ada)
    await app.post('/forgot-password', { email: ada.email })
    const { token } = await app.lastMail(ada.email)
    await using wire = await listen(app)

    // Every kind of failure that is logged: missing tables under routes that write what the caller sent.
    await sql`drop table events`.execute(app.deps.store.migrationDb)
    await sql`drop table limit_counters`.execute(app.deps.store.migrationDb)
    const agent = Buffer.from(hostile).toString('latin1')
    for (const [line, body] of [
      ['POST /api/v1/auth/signin', { email: ada.email, password: secret }],
      ['POST /api/v1/auth/signup', { email: 'canary@example.com', password: secret, first_name: 'canary' }],
      ['POST /api/v1/auth/reset-password', { token, new_password: `${secret}!` }],
      ['POST /api/v1/auth/refresh', { refresh_token: refresh }],
      ['POST /api/v1/auth/signout', { refresh_token: refresh }],
      ['DELETE /api/v1/auth/me', { password: secret }],
    ] as const) {
      const headers = {
        'user-agent': agent,
        authorization: `Bearer ${access}`,
        'x-canary': 'canary',
        referer: `https://x/${token}`,
      }
      const sent = request(line, headers, JSON.stringify(body))
      const [answer] = await wire.send(Buffer.from(sent, 'latin1'))
      assert.equal(answer?.status, 500, line)
      const instance = JSON.parse(answer?.body ?? '{}').instance
      assert.equal(lines.filter((entry) => entry.includes(instance)).length, 1, line)
    }
    const entries = lines.join('').split('\n').filter(Boolean)
    assert.ok(entries.length >= 6)
    for (const entry of entries) {
      const parsed = JSON.parse(entry)
      assert.ok(['debug', 'info', 'warn', 'error'].includes(parsed.level))
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
      assert.doesNotMatch(entry, /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e]/)
      for (const part of [
        'canary',
        ada.email,
        token,
        access,
        refresh,
        cookie,
        refresh.split('.')[1] ?? 'x',
        'argon2id',
      ]) {
        assert.equal(entry.toLowerCase().includes(part.toLowerCase()), false, `${part} in ${entry}`)
      }
    }
  })

  test('a User-Agent of markup, controls and endless length is data in every listing', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const agents = [
      '<script>alert(1)</script>',
      '"><svg onload=alert(1)>',
      '=HYPERLINK("https://evil.test")',
      'x'.repeat(8_000),
      "' or 1=1 --",
    ]
    for (const agent of agents)
      await app.post('/signin', { email: ada.email, password: ada.password }, { headers: { 'user-agent': agent } })
    const { access } = await app.tokens(ada)
    const { sessions } = (await app.get('/me/sessions', { bearer: access })).json
    assert.equal(sessions.length, agents.length + 1)
    for (const { user_agent, device } of sessions) {
      assert.ok(user_agent.length <= 400)
      assert.equal(device, 'Unknown device')
    }
    const notices = (await app.mails(ada.email)).filter(({ kind }) => kind === 'new_device')
    assert.equal(notices.length, 1)
    for (const { html, text } of notices) assert.doesNotMatch(html + text, /<script|<svg|HYPERLINK|evil/)
  })

  test('an expected refusal leaves no line in the log', async () => {
    await using app = await testApp({ engine })
    await app.post('/signin', { email: 'canary@example.com', password: 'canary harbour' })
    await app.post('/signin', '{"email":')
    await app.get('/session', { bearer: 'canary' })
    await app.get('/nowhere/canary')
    assert.deepEqual(app.logged, [])
  })
})
