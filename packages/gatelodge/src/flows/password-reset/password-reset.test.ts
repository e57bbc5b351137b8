import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forEachDatabase, testApp } from '../../../test/support/app.ts'
import { createAccount } from '../../admin/users/create-user.ts'
import { requestMail } from '../../domain/outbox.ts'
import { systemActor } from '../../kernel/actor.ts'
import { day } from '../../kernel/clock.ts'
import type { UserId } from '../../kernel/ids.ts'
import { transact } from '../../store/unit-of-work.ts'

const fresh = 'another harbour 53'

forEachDatabase('password reset', (engine) => {
  test('a reset link works once, ends every session and does not sign in', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const cookie = await app.cookie(ada)
    const { access, refresh } = await app.tokens(ada)
    assert.equal((await app.post('/forgot-password', { email: ada.email })).status, 200)
    const { token, link } = await app.lastMail(ada.email)
    assert.match(link, /^http:\/\/localhost:3000\/reset-password\?token=/)

    const told = await app.post('/reset-password', { token, new_password: fresh })
    assert.deepEqual([told.status, told.json], [200, { message: 'Password reset successfully' }])
    assert.deepEqual(told.setCookies, [])
    assert.equal((await app.get('/session', { cookie })).status, 401)
    assert.equal((await app.get('/session', { bearer: access })).status, 401)
    assert.equal((await app.post('/refresh', { refresh_token: refresh })).code, 'token_invalid')
    assert.equal((await app.post('/signin', { email: ada.email, password: ada.password })).code, 'invalid_credentials')
    assert.equal((await app.post('/signin', { email: ada.email, password: fresh })).status, 200)

    const again = await app.post('/reset-password', { token, new_password: 'third harbour 54' })
    assert.deepEqual([again.status, again.code, again.json.detail], [400, 'token_invalid', 'Invalid or expired token'])
    assert.equal((await app.lastMail(ada.email)).kind, 'password_changed')
  })

  test('every address gets the same answer and leaves the same row', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const before = (await app.rows('mails')).length
    const known = await app.post('/forgot-password', { email: ada.email })
    const unknown = await app.post('/forgot-password', { email: 'nobody@example.com' })

    assert.deepEqual([known.status, known.json], [unknown.status, unknown.json])
    const rows = (await app.rows('mails')).slice(before)
    assert.deepEqual(
      rows.map(({ kind, state }) => [kind, state]),
      [
        ['password_reset', 'requested'],
        ['password_reset', 'requested'],
      ],
    )
    assert.deepEqual(await app.mails('nobody@example.com'), [])
  })

  test('a newer link voids the older one, and a link expires', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    await app.post('/forgot-password', { email: ada.email })
    const first = await app.lastMail(ada.email)
    await app.post('/forgot-password', { email: ada.email })
    const second = await app.lastMail(ada.email)

    assert.equal((await app.post('/reset-password', { token: first.token, new_password: fresh })).code, 'token_invalid')
    app.clock.advance(30 * 60_000)
    assert.equal(
      (await app.post('/reset-password', { token: second.token, new_password: fresh })).code,
      'token_invalid',
    )
  })

  test('a browser that resets the password is a known device afterwards, and no other client gets a cookie', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const reset = async (ask = {}) => {
      app.clock.advance(60 * 60_000)
      await app.post('/forgot-password', { email: ada.email })
      const { token } = await app.lastMail(ada.email)
      return app.post('/reset-password', { token, new_password: fresh }, ask)
    }
    const browser = await reset({ headers: { 'sec-fetch-site': 'same-origin' } })
    assert.equal(browser.setCookies.length, 1)
    for (let round = 0; round < 12; round += 1) {
      await app.post('/signin', { email: ada.email, password: `wrong ${round}` }, { ip: `203.0.113.${round}` })
    }
    const device = { headers: { cookie: `gatelodge-device=${browser.cookie('gatelodge-device')}` } }
    const ask = { email: ada.email, password: fresh }
    assert.equal((await app.post('/signin', ask)).code, 'rate_limited')
    assert.equal((await app.post('/signin', ask, device)).status, 200)
    assert.deepEqual((await reset()).setCookies, [])
  })

  test('a refused password leaves the link good', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    await app.post('/forgot-password', { email: ada.email })
    const { token } = await app.lastMail(ada.email)

    const refused = await app.post('/reset-password', { token, new_password: 'password123' })
    assert.deepEqual([refused.code, refused.json.errors[0].field], ['input_invalid', 'new_password'])
    assert.equal((await app.post('/reset-password', { token, new_password: fresh })).status, 200)
  })

  test('a reset voids a pending email change, whether requested or already sent', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const { access } = await app.tokens(ada)
    await app.post('/change-email', { new_email: 'mailed@example.com', password: ada.password }, { bearer: access })
    const change = await app.lastMail('mailed@example.com')
    await app.post('/forgot-password', { email: ada.email })
    const { token } = await app.lastMail(ada.email)
    await app.post('/change-email', { new_email: 'late@example.com', password: ada.password }, { bearer: access })

    await app.post('/reset-password', { token, new_password: fresh })
    assert.equal((await app.post('/change-email/confirm', { token: change.token })).code, 'token_invalid')
    assert.deepEqual(await app.mails('late@example.com'), [])
  })

  test('an address with only a pending sign-up is told how to register', async () => {
    await using app = await testApp({ engine })
    await app.post('/signup', { email: 'ada@example.com', password: 'quiet harbour 52' })
    await app.post('/forgot-password', { email: 'ada@example.com' })
    const mail = await app.lastMail('ada@example.com')
    assert.equal(mail.link, 'http://localhost:3000/register')
  })

  test('a stopped account gets no link, and a link it had is void', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    await app.post('/forgot-password', { email: ada.email })
    const { token } = await app.lastMail(ada.email)
    const { deactivateUser } = await import('../../domain/account-removal.ts')
    const { transact } = await import('../../store/unit-of-work.ts')
    const { systemActor } = await import('../../kernel/actor.ts')
    await transact(app.deps, systemActor('command', 'test'), (work) => deactivateUser(work, ada.id as never))

    assert.equal((await app.post('/reset-password', { token, new_password: fresh })).code, 'token_invalid')
    const before = (await app.mails(ada.email)).length
    await app.post('/forgot-password', { email: ada.email })
    assert.equal((await app.mails(ada.email)).length, before)
  })

  test('a reset proves the address of an `instant` account and takes the account from the person who signed up', async () => {
    await using app = await testApp({ engine, env: { GATELODGE_REGISTRATION: 'instant' } })
    const thief = await app.post('/signup', { email: 'victim@example.com', password: 'planted harbour 9' })
    await app.post('/forgot-password', { email: 'victim@example.com' })
    const mails = await app.mails('victim@example.com')
    const text = mails.find(({ kind }) => kind === 'password_reset')?.text ?? ''
    const token = new URL(/https?:\/\/\S+/.exec(text)?.[0] ?? '').searchParams.get('token')

    assert.equal((await app.post('/reset-password', { token, new_password: fresh })).status, 200)
    assert.equal((await app.get('/session', { bearer: thief.json.access_token })).status, 401)
    const signedIn = await app.post('/signin', { email: 'victim@example.com', password: fresh })
    assert.equal(signedIn.json.user.email_verified, true)
  })

  test('fifty parallel uses of one link have one success', async () => {
    await using app = await testApp({ engine, env: { GATELODGE_RATE_LIMITS: 'off' } })
    const ada = await app.user()
    await app.post('/forgot-password', { email: ada.email })
    const { token } = await app.lastMail(ada.email)

    const told = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        app.post('/reset-password', { token, new_password: `harbour number ${index}` }),
      ),
    )
    assert.equal(told.filter(({ status }) => status === 200).length, 1)
    assert.equal(told.filter(({ code }) => code === 'token_invalid').length, 49)
    assert.equal((await app.events()).filter((name) => name === 'password.reset').length, 1)
  })

  test('an invited person has seven days to choose a password, which proves the address', async () => {
    await using app = await testApp({ engine })
    const actor = systemActor('command', 'test')
    const late = { email: 'late@example.com' }
    const grace = { email: 'grace@example.com' }
    for (const person of [late, grace]) await createAccount(app.deps, actor, person)
    assert.equal((await app.post('/signin', { ...grace, password: fresh })).code, 'invalid_credentials')
    const mails = [await app.lastMail(late.email), await app.lastMail(grace.email)]
    assert.deepEqual(
      mails.map(({ kind }) => kind),
      ['invitation', 'invitation'],
    )
    app.clock.advance(7 * day - 1)
    const accept = (mail = mails[0]) => app.post('/reset-password', { token: mail?.token, new_password: fresh })
    assert.equal((await accept(mails[1])).status, 200)
    assert.equal((await app.post('/signin', { ...grace, password: fresh })).json.user.email_verified, true)
    app.clock.advance(1)
    assert.equal((await accept()).code, 'token_invalid')
    await app.post('/forgot-password', late)
    const again = await app.lastMail(late.email)
    assert.deepEqual([again.kind, (await accept(again)).status], ['password_reset', 200])
  })

  test('an invitation that waits for its mail is not sent once a password was chosen', async () => {
    await using app = await testApp({ engine })
    const { id } = await app.user()
    await transact(app.deps, systemActor('command', 'test'), (work) =>
      requestMail(work, 'invitation', { userId: id as UserId }),
    )
    await app.composition.deliverMail()
    const mail = (await app.rows('mails')).find(({ kind }) => kind === 'invitation')
    assert.equal(mail?.state, 'dropped')
  })

  test('a device that was trusted before a reset shares the delays of strangers after it', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const first = await app.post('/signin', { email: ada.email, password: ada.password, session: 'cookie' })
    const device = { headers: { cookie: `gatelodge-device=${first.cookie('gatelodge-device')}` } }
    await app.post('/forgot-password', { email: ada.email })
    const { token } = await app.lastMail(ada.email)
    await app.post('/reset-password', { token, new_password: fresh })

    for (let round = 0; round < 12; round += 1) {
      await app.post('/signin', { email: ada.email, password: `wrong ${round}` }, { ip: `203.0.113.${round}` })
    }
    assert.equal((await app.post('/signin', { email: ada.email, password: fresh }, device)).code, 'rate_limited')
  })
})
