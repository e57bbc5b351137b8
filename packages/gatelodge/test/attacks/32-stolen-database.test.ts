import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { forEachDatabase, testApp } from '../support/app.ts'

const sha256 = (text: string) => createHash('sha256').update(text).digest('base64url')

forEachDatabase('32 stolen database', (engine) => {
  test('every credential is stored as the SHA-256 of its secret, and what is stored opens nothing', async () => {
    await using app = await testApp({ engine, env: { GATELODGE_RATE_LIMITS: 'off' } })
    const ada = await app.user()
    const cookie = await app.cookie(ada)
    const { refresh } = await app.tokens(ada)
    await app.post('/forgot-password', { email: ada.email })
    const { token } = await app.lastMail(ada.email)
    const signUp = await app.post('/signup', { email: 'eve@example.com', password: 'quiet harbour 52' })
    const browser = signUp.cookie('gatelodge-signup') ?? ''
    const verify = (await app.lastMail('eve@example.com')).token

    const [sessions, refreshes, tokens, pending] = await Promise.all([
      app.rows('sessions'),
      app.rows('refresh_tokens'),
      app.rows('one_time_tokens'),
      app.rows('pending_signups'),
    ])
    const stolen = (rows: Record<string, unknown>[], text: string, column: string) => {
      const [id = '', secret = ''] = text.split('.')
      // A refresh token names its session.
      const row = rows.find((candidate) => [candidate['session_id'], candidate['id']].includes(id))
      assert.equal(row?.[column], sha256(secret))
      return `${id}.${row?.[column]}`
    }
    const use = {
      cookie: await app.get('/session', { cookie: stolen(sessions, cookie, 'secret_hash') }),
      refresh: await app.post('/refresh', { refresh_token: stolen(refreshes, refresh, 'secret_hash') }),
      reset: await app.post('/reset-password', {
        token: stolen(tokens, token, 'secret_hash'),
        new_password: 'another harbour 53',
      }),
      verify: await app.post('/verify-email', {
        token: stolen(tokens, verify, 'secret_hash'),
        password: 'quiet harbour 52',
      }),
    }
    for (const [name, { code }] of Object.entries(use)) assert.equal(code, 'token_invalid', name)
    const headers = { cookie: `gatelodge-signup=${stolen(pending, browser, 'browser_hash')}` }
    assert.equal((await app.post('/verify-email', { token: verify }, { headers })).code, 'password_required')

    const hash = String((await app.rows('users'))[0]?.['password_hash'])
    assert.equal((await app.post('/signin', { email: ada.email, password: hash })).code, 'invalid_credentials')
  })

  test('a device id read from the database gives no way past the count of strangers', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const first = await app.post('/signin', { email: ada.email, password: ada.password })
    const real = first.cookie('gatelodge-device') ?? ''
    const [row] = await app.rows('known_devices')
    const id = String(row?.['device_id'])
    assert.equal(real.split('.')[0], id)
    for (let round = 0; round < 12; round += 1) {
      await app.post('/signin', { email: ada.email, password: 'wrong harbour' }, { ip: `203.0.113.${round}` })
    }
    const ask = async (device: string) =>
      (
        await app.post(
          '/signin',
          { email: ada.email, password: ada.password },
          { headers: { cookie: `gatelodge-device=${device}` } },
        )
      ).code
    for (const forged of [id, `${id}.`, `${id}.${'A'.repeat(43)}`, `${id}.${row?.['place']}`, `${id}.${sha256(id)}`]) {
      assert.equal(await ask(forged), 'rate_limited', forged)
    }
    assert.equal(await ask(real), undefined)
  })

  test('one wrong character anywhere in a secret is enough', async () => {
    await using app = await testApp({ engine, env: { GATELODGE_RATE_LIMITS: 'off' } })
    const ada = await app.user()
    const cookie = await app.cookie(ada)
    const { refresh } = await app.tokens(ada)
    for (const at of [0, 21, 23, 40, 64]) {
      const change = (text: string) => text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1)
      assert.equal((await app.get('/session', { cookie: change(cookie) })).code, 'token_invalid')
      assert.equal((await app.post('/refresh', { refresh_token: change(refresh) })).code, 'token_invalid')
    }
    // The last of 43 characters has two spare bits, so another spelling of the same bytes is a different text.
    assert.equal((await app.get('/session', { cookie })).status, 200)
  })
})
