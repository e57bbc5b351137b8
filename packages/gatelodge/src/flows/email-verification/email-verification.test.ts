import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forEachDatabase, type TestApp, testApp } from '../../../test/support/app.ts'

const ada = { email: 'ada@example.com', password: 'quiet harbour 52', username: 'ada' }

async function signUp(app: TestApp, person = ada) {
  const told = await app.post('/signup', person)
  const { token } = await app.lastMail(person.email)
  return { token, headers: { cookie: `gatelodge-signup=${told.cookie('gatelodge-signup')}` } }
}

forEachDatabase('email verification', (engine) => {
  test('the browser that signed up confirms without the password, once', async () => {
    await using app = await testApp({ engine })
    const { token, headers } = await signUp(app)

    const told = await app.post('/verify-email', { token }, { headers })
    assert.equal(told.status, 200)
    assert.equal(told.json.user.email_verified, true)
    assert.equal(told.json.user.username, 'ada')
    const again = await app.post('/verify-email', { token }, { headers })
    assert.deepEqual([again.status, again.code, again.json.detail], [400, 'token_invalid', 'Invalid or expired token'])
    assert.deepEqual(await app.events(), ['signup.requested', 'mail.delivered', 'user.created', 'email.verified'])
    assert.equal((await app.lastMail(ada.email)).kind, 'welcome')
  })

  test('another browser needs the chosen password, and a wrong one leaves the link good', async () => {
    await using app = await testApp({ engine })
    const { token } = await signUp(app)
    const stranger = {
      headers: { cookie: 'gatelodge-signup=AAAAAAAAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' },
    }

    assert.equal((await app.post('/verify-email', { token }, stranger)).code, 'password_required')
    assert.equal((await app.post('/verify-email', { token, password: 'not the one' })).code, 'incorrect_password')
    assert.equal((await app.post('/verify-email', { token, password: ada.password })).status, 200)
  })

  test('guesses at the chosen password are slowed down', async () => {
    await using app = await testApp({ engine })
    const { token } = await signUp(app)

    const codes = []
    for (let guess = 0; guess < 7; guess += 1)
      codes.push((await app.post('/verify-email', { token, password: `guess ${guess}` })).code)
    assert.deepEqual(codes.slice(0, 5), Array(5).fill('incorrect_password'))
    assert.equal(codes.at(-1), 'rate_limited')
  })

  test('opening the link changes nothing and leads to the page with the token', async () => {
    await using app = await testApp({ engine })
    const { token, headers } = await signUp(app)

    for (const method of ['GET', 'HEAD', 'GET']) {
      const told = await app.ask(method, `/verify-email?token=${token}`)
      assert.equal(told.status, 303)
      assert.equal(told.headers.get('location'), `http://localhost:3000/verify-email?token=${token}`)
    }
    assert.equal((await app.post('/verify-email', { token }, { headers })).status, 200)
  })

  test('a link expires with its sign-up', async () => {
    await using app = await testApp({ engine })
    const { token, headers } = await signUp(app)
    app.clock.advance(24 * 3_600_000)
    assert.equal((await app.post('/verify-email', { token }, { headers })).code, 'token_invalid')
  })

  test('confirming one of two sign-ups of an address invalidates the other', async () => {
    await using app = await testApp({ engine })
    const first = await signUp(app)
    const second = await signUp(app, { ...ada, username: 'ada2' })

    assert.equal(
      (await app.post('/verify-email', { token: second.token }, { headers: second.headers })).json.user.username,
      'ada2',
    )
    assert.equal(
      (await app.post('/verify-email', { token: first.token }, { headers: first.headers })).code,
      'token_invalid',
    )
    assert.deepEqual(await app.rows('pending_signups'), [])
    // Its name becomes free when the sign-up would have expired; earlier would reveal the account.
    assert.deepEqual((await app.get('/username-available?username=ada')).json, { available: false })
    app.clock.advance(24 * 3_600_000)
    assert.deepEqual((await app.get('/username-available?username=ada')).json, { available: true })
    assert.deepEqual((await app.get('/username-available?username=ada2')).json, { available: false })
  })

  test('a resend replaces the link of the asking browser’s sign-up, and is blind', async () => {
    await using app = await testApp({ engine })
    const first = await signUp(app)
    await signUp(app, { ...ada, username: 'ada2' })

    const known = await app.post('/verify-email/resend', { email: ada.email }, { headers: first.headers })
    const unknown = await app.post('/verify-email/resend', { email: 'nobody@example.com' })
    assert.deepEqual([known.status, known.json], [unknown.status, unknown.json])
    assert.equal(known.status, 202)

    const { token } = await app.lastMail(ada.email)
    assert.equal(
      (await app.post('/verify-email', { token: first.token }, { headers: first.headers })).code,
      'token_invalid',
    )
    assert.equal((await app.post('/verify-email', { token }, { headers: first.headers })).json.user.username, 'ada')
    assert.deepEqual(await app.mails('nobody@example.com'), [])
  })

  test('a resend without the cookie goes to the newest sign-up, and to no confirmed address', async () => {
    await using app = await testApp({ engine })
    await signUp(app)
    app.clock.advance(1)
    const second = await signUp(app, { ...ada, username: 'ada2' })

    await app.post('/verify-email/resend', { email: ada.email })
    const { token } = await app.lastMail(ada.email)
    assert.equal((await app.post('/verify-email', { token }, { headers: second.headers })).json.user.username, 'ada2')

    const before = (await app.mails(ada.email)).length
    await app.post('/verify-email/resend', { email: ada.email })
    assert.equal((await app.mails(ada.email)).length, before)
  })

  test('enumeration `explicit` says when there is nothing to confirm', async () => {
    await using app = await testApp({ engine, env: { GATELODGE_ENUMERATION: 'explicit' } })
    await signUp(app)
    const confirmed = await app.user()

    assert.equal((await app.post('/verify-email/resend', { email: ada.email })).status, 202)
    assert.deepEqual((await app.post('/verify-email/resend', { email: confirmed.email })).code, 'user_not_found')
    const told = await app.post('/verify-email/resend', { email: 'nobody@example.com' })
    assert.deepEqual([told.status, told.code], [404, 'user_not_found'])
  })

  test('a link is void if its address has changed hands in the meantime', async () => {
    await using app = await testApp({ engine })
    const { token, headers } = await signUp(app)
    const owner = await app.user()
    const { access } = await app.tokens(owner)
    await app.post('/change-email', { new_email: ada.email, password: owner.password }, { bearer: access })
    const change = await app.lastMail(ada.email)
    assert.equal((await app.post('/change-email/confirm', { token: change.token })).status, 200)

    assert.equal((await app.post('/verify-email', { token }, { headers })).code, 'token_invalid')
    assert.equal((await app.post('/signup', { ...ada, username: 'late' })).status, 201)
    assert.equal((await app.lastMail(ada.email)).kind, 'signup')
  })
})
