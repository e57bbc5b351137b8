import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forEachDatabase, type Person, type TestApp, testApp } from '../../../test/support/app.ts'
import { hour, minute } from '../../kernel/clock.ts'

const next = 'another harbour 53'

/** Changes the password of a session, so that its owner is sent the link of a notice. */
async function changedBy(
  app: TestApp,
  person: Person,
  bearer: string,
  password = 'thieves harbour 9',
): Promise<string> {
  const passwords = { old_password: person.password, new_password: password }
  const told = await app.post('/change-password', passwords, { bearer })
  assert.equal(told.status, 200, told.text)
  return noticeOf(app, person.email)
}

async function noticeOf(app: TestApp, email: string): Promise<string> {
  const { link, token } = await app.lastMail(email)
  assert.match(link, /^http:\/\/localhost:3000\/security\/undo\?token=/)
  return token
}

async function resetLinkOf(app: TestApp, email: string): Promise<string> {
  const { link, token } = await app.lastMail(email)
  assert.match(link, /^http:\/\/localhost:3000\/reset-password\?token=/)
  return token
}

async function moveAddress(app: TestApp, person: Person, bearer: string, email: string): Promise<void> {
  await app.post('/change-email', { new_email: email, password: person.password }, { bearer })
  const { token } = await app.lastMail(email)
  const told = await app.post('/change-email/confirm', { token }, { bearer })
  assert.equal(told.status, 200, told.text)
}

const signIn = (app: TestApp, email: string, password: string) => app.post('/signin', { email, password })

forEachDatabase('recovery', (engine) => {
  test('the link of a notice ends every session, turns the password off, and mails the link that alone opens the account', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const { access, refresh } = await app.tokens(ada)
    const token = await changedBy(app, ada, access)

    const told = await app.post('/security/undo', { token })
    assert.equal(told.status, 200, told.text)
    assert.equal((await app.get('/session', { bearer: access })).status, 401)
    assert.equal((await app.post('/refresh', { refresh_token: refresh })).code, 'token_invalid')
    for (const password of ['thieves harbour 9', ada.password])
      assert.equal((await signIn(app, ada.email, password)).code, 'invalid_credentials')

    const reset = await resetLinkOf(app, ada.email)
    assert.equal((await app.post('/reset-password', { token: reset, new_password: next })).status, 200)
    assert.equal((await signIn(app, ada.email, next)).status, 200)
    assert.equal((await app.post('/security/undo', { token })).code, 'token_invalid')
    assert.equal((await app.post('/reset-password', { token: reset, new_password: next })).code, 'token_invalid')
    const events = await app.events()
    assert.deepEqual(
      events.filter((name) => /^recovery|^password\.reset/.test(name)),
      ['recovery.started', 'password.reset'],
    )
  })

  test('where the thief signed in from is forgotten: a password that is known again makes a notice again', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    await app.post('/signin', { email: ada.email, password: ada.password }, { ip: '198.51.100.9' })
    const { access } = await app.tokens(ada)
    const token = await changedBy(app, ada, access)
    await app.post('/security/undo', { token })
    assert.deepEqual(await app.rows('known_devices'), [])
    const reset = await resetLinkOf(app, ada.email)
    assert.equal((await app.post('/reset-password', { token: reset, new_password: next })).status, 200)

    app.clock.advance(hour)
    assert.equal((await app.post('/signin', { email: ada.email, password: next }, { ip: '198.51.100.9' })).status, 200)
    assert.ok((await app.events()).slice(-3).includes('signin.new_device'))
  })

  test('a notice’s link survives further changes of password and address, and restores the address', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user({ email: 'owner@example.com' })
    const { access } = await app.tokens(ada)
    const token = await changedBy(app, ada, access)
    const again = { old_password: 'thieves harbour 9', new_password: 'thieves harbour 10' }
    assert.equal((await app.post('/change-password', again, { bearer: access })).status, 200)
    await moveAddress(app, { ...ada, password: 'thieves harbour 10' }, access, 'thief@example.com')

    assert.equal((await app.post('/security/undo', { token })).status, 200)
    const [row] = await app.rows('users')
    assert.deepEqual([row?.email, row?.password_hash], ['owner@example.com', null])
    assert.deepEqual(await app.rows('email_reservations'), [])
    const reset = await resetLinkOf(app, 'owner@example.com')
    assert.equal((await app.post('/reset-password', { token: reset, new_password: next })).status, 200)
    assert.equal((await signIn(app, 'owner@example.com', next)).status, 200)
    assert.equal((await signIn(app, 'thief@example.com', next)).code, 'invalid_credentials')
  })

  test('a notice that reached another address than the owner’s is worth nothing once the owner took the account back', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user({ email: 'owner@example.com' })
    const { access } = await app.tokens(ada)
    await moveAddress(app, ada, access, 'thief@example.com')
    const undo = await app.lastMail('owner@example.com')
    const theirs = await changedBy(app, { ...ada, email: 'thief@example.com' }, access)

    assert.equal((await app.post('/change-email/undo', { token: undo.token })).status, 200)
    assert.equal((await app.post('/security/undo', { token: theirs })).code, 'token_invalid')
    const reset = await resetLinkOf(app, 'owner@example.com')
    assert.equal((await app.post('/reset-password', { token: reset, new_password: next })).status, 200)
    assert.equal((await app.post('/security/undo', { token: theirs })).code, 'token_invalid')
    assert.equal((await signIn(app, 'owner@example.com', next)).status, 200)
  })

  test('a thief who says "this wasn’t me" first gains nothing: the former address still recovers the account', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user({ email: 'owner@example.com' })
    const { access } = await app.tokens(ada)
    await moveAddress(app, ada, access, 'thief@example.com')
    const undo = await app.lastMail('owner@example.com')
    const theirs = await changedBy(app, { ...ada, email: 'thief@example.com' }, access)
    assert.equal((await app.post('/security/undo', { token: theirs })).status, 200)
    const theirReset = await resetLinkOf(app, 'thief@example.com')

    assert.equal((await app.post('/change-email/undo', { token: undo.token })).status, 200)
    const told = await app.post('/reset-password', { token: theirReset, new_password: 'thieves harbour 11' })
    assert.equal(told.code, 'token_invalid')
    const reset = await resetLinkOf(app, 'owner@example.com')
    assert.equal((await app.post('/reset-password', { token: reset, new_password: next })).status, 200)
  })

  test('what was added since is undone, and what was there before stays until the password is chosen', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const { headers } = await app.client()
    const { access } = await app.tokens(ada)
    const create = async () => (await app.post('/me/tokens', { name: 'script' }, { bearer: access })).json.token
    const before = await create()
    app.clock.advance(minute)
    const token = await changedBy(app, ada, access)
    const since = await create()

    assert.equal((await app.post('/security/undo', { token })).status, 200)
    assert.equal((await app.introspect(since, headers)).active, false)
    assert.equal((await app.introspect(before, headers)).active, true)
  })

  test('a reset link that was sent before, or is on its way, opens nothing', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const { access } = await app.tokens(ada)
    const token = await changedBy(app, ada, access)
    await app.post('/forgot-password', { email: ada.email })
    const earlier = await resetLinkOf(app, ada.email)
    assert.equal((await app.post('/security/undo', { token })).status, 200)
    assert.equal((await app.post('/reset-password', { token: earlier, new_password: next })).code, 'token_invalid')

    // An email that was being written in the meantime stores its link after the recovery began.
    const recovery = await resetLinkOf(app, ada.email)
    const db = app.deps.store.migrationDb
    await db
      .updateTable('one_time_tokens')
      .set({ purpose: 'password_reset' })
      .where('purpose', '=', 'recovery')
      .execute()
    assert.equal((await app.post('/reset-password', { token: recovery, new_password: next })).code, 'token_invalid')
    await db
      .updateTable('one_time_tokens')
      .set({ purpose: 'recovery' })
      .where('purpose', '=', 'password_reset')
      .execute()
    assert.equal((await app.post('/reset-password', { token: recovery, new_password: next })).status, 200)
  })

  test('an owner whose reset link expired asks for another one, and each of them is good until one is used', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const { access } = await app.tokens(ada)
    assert.equal((await app.post('/security/undo', { token: await changedBy(app, ada, access) })).status, 200)
    const expired = await resetLinkOf(app, ada.email)
    app.clock.advance(31 * minute)
    assert.equal((await app.post('/reset-password', { token: expired, new_password: next })).code, 'token_invalid')

    const links: string[] = []
    for (let asked = 0; asked < 2; asked++) {
      await app.post('/forgot-password', { email: ada.email })
      links.push(await resetLinkOf(app, ada.email))
    }
    const [first = '', second = ''] = links
    assert.equal((await app.post('/reset-password', { token: first, new_password: next })).status, 200)
    assert.equal((await app.post('/reset-password', { token: second, new_password: next })).code, 'token_invalid')
  })

  test('an owner who presses the button of every notice opens the account by any of the mails, and later by none of the notices', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user({ email: 'owner@example.com' })
    const { access } = await app.tokens(ada)
    const first = await changedBy(app, ada, access)
    await app.post('/me/tokens', { name: 'script' }, { bearer: access })
    const second = await noticeOf(app, ada.email)
    await app.post('/me/tokens', { name: 'other' }, { bearer: access })
    const third = await noticeOf(app, ada.email)

    assert.equal((await app.post('/security/undo', { token: first })).status, 200)
    const reset = await resetLinkOf(app, ada.email)
    app.clock.advance(minute)
    assert.equal((await app.post('/security/undo', { token: second })).status, 200)
    assert.notEqual(await resetLinkOf(app, ada.email), reset)
    assert.equal((await app.post('/reset-password', { token: reset, new_password: next })).status, 200)
    assert.equal((await signIn(app, ada.email, next)).status, 200)
    assert.equal((await app.post('/security/undo', { token: third })).code, 'token_invalid')
  })

  test('the link lives 72 hours and not longer', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const grace = await app.user()
    const links = [ada, grace].map(async (person) => changedBy(app, person, (await app.tokens(person)).access))
    const [first = '', second = ''] = await Promise.all(links)
    app.clock.advance(72 * hour - 1)
    assert.equal((await app.post('/security/undo', { token: first })).status, 200)
    app.clock.advance(1)
    assert.equal((await app.post('/security/undo', { token: second })).code, 'token_invalid')
  })

  test('sign-ins from a new device and new API tokens carry the link as well', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    await app.tokens(ada)
    app.clock.advance(minute)
    const elsewhere = { ip: '203.0.113.9', headers: { 'user-agent': 'Other' } }
    const bearer = (await app.post('/signin', { email: ada.email, password: ada.password }, elsewhere)).json
      .access_token
    assert.equal((await app.mails(ada.email)).at(-1)?.kind, 'new_device')
    await noticeOf(app, ada.email)
    await app.post('/me/tokens', { name: 'script' }, { bearer })
    assert.equal((await app.mails(ada.email)).at(-1)?.kind, 'api_token_created')
    assert.equal((await app.post('/security/undo', { token: await noticeOf(app, ada.email) })).status, 200)
  })

  test('fifty parallel uses of one link start one recovery', async () => {
    await using app = await testApp({ engine, env: { GATELODGE_RATE_LIMITS: 'off' } })
    const ada = await app.user()
    const token = await changedBy(app, ada, (await app.tokens(ada)).access)
    const told = await Promise.all(Array.from({ length: 50 }, () => app.post('/security/undo', { token })))
    assert.equal(told.filter(({ status }) => status === 200).length, 1)
    assert.equal(told.filter(({ code }) => code === 'token_invalid').length, 49)
    assert.equal((await app.mails(ada.email)).filter(({ kind }) => kind === 'recovery_started').length, 1)
  })
})
