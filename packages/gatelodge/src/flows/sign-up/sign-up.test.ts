import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forEachDatabase, testApp } from '../../../test/support/app.ts'
import { createAccount } from '../../admin/users/create-user.ts'
import { systemActor } from '../../kernel/actor.ts'

const ada = {
  email: 'ada@example.com',
  password: 'quiet harbour 52',
  username: 'ada',
  first_name: 'Ada',
  last_name: 'Lovelace',
}

forEachDatabase('sign-up', (engine) => {
  test('a sign-up is pending, and nothing exists before its link is confirmed', async () => {
    await using app = await testApp({ engine })

    const told = await app.post('/signup', ada)
    assert.equal(told.status, 201)
    assert.deepEqual(told.json, {
      status: 'verification_required',
      message: 'Check your email and follow the link to finish creating your account.',
    })
    assert.ok(told.cookie('gatelodge-signup'))
    assert.deepEqual(await app.rows('users'), [])
    assert.equal((await app.post('/signin', { email: ada.email, password: ada.password })).code, 'invalid_credentials')
    assert.deepEqual(await app.events(), ['signup.requested', 'signin.failed'])
  })

  test('a known address leaves the same rows and answer, and its owner is told by mail', async () => {
    await using app = await testApp({ engine })
    const owner = await app.user({ email: 'owner@example.com' })

    const known = await app.post('/signup', { ...ada, email: owner.email, username: 'known' })
    const unknown = await app.post('/signup', { ...ada, username: 'unknown' })
    assert.equal(known.status, unknown.status)
    assert.deepEqual(known.json, unknown.json)
    const pending = (await app.rows('pending_signups')).map((row) => Object.keys(row))
    assert.equal(pending.length, 2)
    assert.equal((await app.lastMail(owner.email)).subject, 'You already have an account at Gatelodge')
    assert.match((await app.lastMail(ada.email)).link, /^http:\/\/localhost:3000\/verify-email\?token=/)
  })

  test('names that look official are taken to everybody, and administrators give them', async () => {
    for (const env of [{}, { GATELODGE_REGISTRATION: 'instant' }, { GATELODGE_SERVICE_NAME: 'Acme' }]) {
      await using app = await testApp({ engine, env })
      const names = [
        'admin',
        'Root',
        'support',
        'security',
        'postmaster',
        'abuse',
        'host-master',
        env.GATELODGE_SERVICE_NAME ?? 'gatelodge',
      ]
      for (const username of names) {
        const told = await app.post('/signup', { ...ada, username })
        assert.deepEqual([told.status, told.code], [400, 'username_taken'], username)
        assert.deepEqual((await app.get(`/username-available?username=${username}`)).json, { available: false })
      }
      assert.deepEqual(await app.rows('usernames'), [])

      const { token } = (await app.post('/signup', ada)).json.access_token
        ? { token: '' }
        : await app.lastMail(ada.email)
      if (token !== '') await app.post('/verify-email', { token, password: ada.password })
      const { access } = await app.tokens({ ...ada, id: '' })
      for (const username of names) {
        assert.equal((await app.patch('/me', { username }, { bearer: access })).code, 'username_taken', username)
      }
      assert.equal((await app.get('/me', { bearer: access })).json.username, 'ada')

      const given = { email: 'desk@example.com', username: 'Support', password: ada.password }
      const user = await createAccount(app.deps, systemActor('command', 'test'), given)
      assert.equal(user.username, 'support')
      const { token: confirms } = await app.lastMail('desk@example.com')
      await app.post('/verify-email', { token: confirms, password: ada.password })
      const desk = await app.tokens({ ...given, id: '' })
      const kept = await app.patch('/me', { username: 'SUPPORT', first_name: 'Desk' }, { bearer: desk.access })
      assert.deepEqual([kept.status, kept.json.username], [200, 'support'])
      assert.equal((await app.patch('/me', { username: 'admin' }, { bearer: desk.access })).code, 'username_taken')
    }
  })

  test('a full name is split at its last space, and rejected together with a first or last name', async () => {
    await using app = await testApp({ engine })

    const { first_name: _, last_name: __, ...nameless } = ada
    await app.post('/signup', { ...nameless, fullname: 'Augusta Ada King' })
    const { token } = await app.lastMail(ada.email)
    const { user } = (await app.post('/verify-email', { token, password: ada.password })).json
    assert.deepEqual([user.first_name, user.last_name, user.fullname], ['Augusta Ada', 'King', 'Augusta Ada King'])

    const refused = await app.post('/signup', { ...ada, email: 'x@example.com', fullname: 'Ada King' })
    assert.equal(refused.json.errors[0].field, 'fullname')
  })

  test('a single name is a first name, and without one the username stands for it', async () => {
    await using app = await testApp({ engine })

    await app.post('/signup', {
      email: 'one@example.com',
      password: ada.password,
      fullname: 'Plato',
      username: 'plato',
    })
    const one = await app.post('/verify-email', {
      token: (await app.lastMail('one@example.com')).token,
      password: ada.password,
    })
    assert.deepEqual([one.json.user.first_name, one.json.user.last_name], ['Plato', ''])

    await app.post('/signup', { email: 'none@example.com', password: ada.password, username: 'nameless' })
    const none = await app.post('/verify-email', {
      token: (await app.lastMail('none@example.com')).token,
      password: ada.password,
    })
    assert.equal(none.json.user.fullname, 'nameless')
  })

  test('a password that is common, short or the person’s own name is refused with the reason', async () => {
    await using app = await testApp({ engine })

    for (const [password, code] of [
      ['password123', 'too_common'],
      ['short', 'too_short'],
      ['Ada Lovelace', 'contains_identity'],
      ['ada@example.com', 'contains_identity'],
    ] as const) {
      const told = await app.post('/signup', { ...ada, password })
      assert.equal(told.status, 400, password)
      assert.deepEqual(
        told.json.errors.map((fault: { field: string; code: string }) => [fault.field, fault.code]),
        [['password', code]],
      )
    }
    const { json } = await app.post('/signup', { ...ada, email: 'ada@', username: 'a', password: 'short' })
    const fields = json.errors.map(({ field }: { field: string }) => field)
    assert.deepEqual(fields, ['email', 'username', 'password'])
    assert.deepEqual(await app.rows('pending_signups'), [])
  })

  test('mode `instant` makes the account at once, signs in and tells that an address is taken', async () => {
    await using app = await testApp({ engine, env: { GATELODGE_REGISTRATION: 'instant' } })

    const told = await app.post('/signup', ada)
    assert.equal(told.status, 201)
    assert.equal(told.json.user.email_verified, false)
    assert.equal((await app.get('/session', { bearer: told.json.access_token })).status, 200)
    assert.equal((await app.post('/signup', { ...ada, username: 'ada2' })).code, 'email_taken')
    assert.equal((await app.post('/signin', { email: ada.email, password: ada.password })).status, 200)
    assert.deepEqual((await app.mails(ada.email)).map(({ kind }) => kind).sort(), ['verification', 'welcome'])
  })

  test('the link of an `instant` account needs the sign-up cookie, its session, or the password', async () => {
    await using app = await testApp({ engine, env: { GATELODGE_REGISTRATION: 'instant' } })
    await app.post('/signup', ada)
    const mail = (await app.mails(ada.email)).find(({ kind }) => kind === 'verification')
    const token = new URL(/https?:\/\/\S+/.exec(mail?.text ?? '')?.[0] ?? '').searchParams.get('token')

    assert.equal((await app.post('/verify-email', { token })).code, 'password_required')
    assert.equal((await app.post('/verify-email', { token, password: 'wrong harbour 52' })).code, 'incorrect_password')
    const { user } = (await app.post('/verify-email', { token, password: ada.password })).json
    assert.equal(user.email_verified, true)
    assert.equal((await app.post('/verify-email', { token, password: ada.password })).code, 'token_invalid')
  })

  test('the sign-up cookie or the session of an `instant` account confirms without the password', async () => {
    await using app = await testApp({ engine, env: { GATELODGE_REGISTRATION: 'instant' } })
    const token = async (email: string) => {
      const mail = (await app.mails(email)).find(({ kind }) => kind === 'verification')
      return new URL(/https?:\/\/\S+/.exec(mail?.text ?? '')?.[0] ?? '').searchParams.get('token')
    }

    const first = await app.post('/signup', ada)
    const headers = { cookie: `gatelodge-signup=${first.cookie('gatelodge-signup')}` }
    assert.equal((await app.post('/verify-email', { token: await token(ada.email) }, { headers })).status, 200)

    const second = await app.post('/signup', { ...ada, email: 'b@example.com', username: 'b-ada' })
    const bearer = second.json.access_token
    assert.equal((await app.post('/verify-email', { token: await token('b@example.com') }, { bearer })).status, 200)
  })

  test('modes `admin` and `closed` refuse', async () => {
    for (const mode of ['admin', 'closed']) {
      await using app = await testApp({ engine, env: { GATELODGE_REGISTRATION: mode } })
      const told = await app.post('/signup', ada)
      assert.deepEqual([told.status, told.code], [403, 'registration_closed'])
    }
  })

  test('enumeration `explicit` tells that an address is taken', async () => {
    await using app = await testApp({ engine, env: { GATELODGE_ENUMERATION: 'explicit' } })
    const owner = await app.user()
    const told = await app.post('/signup', { ...ada, email: owner.email })
    assert.deepEqual([told.status, told.code, told.json.detail], [400, 'email_taken', 'Email already registered'])
    const { status, json } = await app.post('/signup', ada)
    assert.equal(status, 201)
    assert.match(json.message, /^Your account was created successfully\. Check your email address to activate/)
  })

  test('usernames can be required or switched off', async () => {
    const { username: _, ...nameless } = ada
    await using required = await testApp({ engine, env: { GATELODGE_USERNAME: 'required' } })
    assert.equal((await required.post('/signup', nameless)).json.errors[0].field, 'username')

    await using off = await testApp({ engine, env: { GATELODGE_USERNAME: 'off' } })
    assert.equal((await off.post('/signup', ada)).json.errors[0].field, 'username')
    assert.equal((await off.post('/signup', nameless)).status, 201)
    assert.equal((await off.get('/username-available?username=ada')).status, 404)

    await using silent = await testApp({ engine, env: { GATELODGE_USERNAME_CHECK: 'off' } })
    assert.equal((await silent.get('/username-available?username=ada')).status, 404)
  })

  test('one address causes three mails in a quarter of an hour, and the answers stay the same', async () => {
    await using app = await testApp({ engine })
    for (let round = 0; round < 6; round += 1)
      assert.equal((await app.post('/signup', { ...ada, username: `ada${round}` })).status, 201)
    assert.equal((await app.mails(ada.email)).length, 3)
    assert.equal((await app.rows('pending_signups')).length, 6)
  })

  test('names that would sign in as an address, or that hide characters, are refused', async () => {
    await using app = await testApp({ engine })
    for (const username of ['ada@home', 'a\u200bda', 'ad', 'аda']) {
      assert.equal((await app.post('/signup', { ...ada, username })).json.errors?.[0].field, 'username', username)
    }
  })

  test('an address has a hundred sign-ups that wait at most, with an account or without: the oldest gives way', async () => {
    await using app = await testApp({ engine, env: { GATELODGE_RATE_LIMITS: 'off' } })
    const ada = await app.user()
    for (const email of [ada.email, 'nobody@example.com']) {
      for (let n = 0; n < 103; n += 1) {
        app.clock.advance(1_000)
        assert.equal((await app.post('/signup', { email, password: 'quiet harbour 52' })).status, 201)
      }
      const waiting = (await app.rows('pending_signups')).filter((row) => row.email === email)
      assert.equal(waiting.length, 100)
      assert.ok(waiting.every((row) => Number(row['created_at']) > app.clock.now() - 100_000))
    }
  })
})
