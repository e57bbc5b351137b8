import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forEachDatabase, type Person, type TestApp, testApp } from '../../../test/support/app.ts'
import { day, hour, minute } from '../../kernel/clock.ts'

async function askFor(app: TestApp, person: Person, bearer: string, email: string) {
  return app.post('/change-email', { new_email: email, password: person.password }, { bearer })
}

forEachDatabase('email change', (engine) => {
  test('nothing changes before the link at the new address is used; it works once and ends the other sessions', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user({ email: 'old@example.com' })
    const { access } = await app.tokens(ada)
    const other = await app.cookie(ada)
    assert.equal((await askFor(app, ada, access, 'New@Example.com')).status, 202)
    assert.equal((await app.get('/me', { bearer: access })).json.email, 'old@example.com')

    const { token, link } = await app.lastMail('new@example.com')
    assert.match(link, /^http:\/\/localhost:3000\/change-email\?token=/)
    const told = await app.post('/change-email/confirm', { token }, { bearer: access })
    assert.equal(told.json.user.email, 'new@example.com')
    assert.equal((await app.get('/session', { bearer: access })).json.user.email, 'new@example.com')
    assert.equal((await app.get('/session', { cookie: other })).status, 401)
    assert.equal((await app.post('/change-email/confirm', { token })).code, 'token_invalid')
    assert.equal(
      (await app.post('/signin', { email: 'old@example.com', password: ada.password })).code,
      'invalid_credentials',
    )
    assert.equal((await app.post('/signin', { email: 'new@example.com', password: ada.password })).status, 200)
  })

  test('a stranger’s browser may confirm, and then every session ends', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const { access } = await app.tokens(ada)
    await askFor(app, ada, access, 'new@example.com')
    assert.equal(
      (await app.post('/change-email/confirm', { token: (await app.lastMail('new@example.com')).token })).status,
      200,
    )
    assert.equal((await app.get('/session', { bearer: access })).status, 401)
  })

  test('the former address is notified, stays reserved, and recovers the account once', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user({ email: 'old@example.com' })
    const { access } = await app.tokens(ada)
    await askFor(app, ada, access, 'new@example.com')
    await app.post(
      '/change-email/confirm',
      { token: (await app.lastMail('new@example.com')).token },
      { bearer: access },
    )
    const undo = await app.lastMail('old@example.com')
    assert.match(undo.link, /\/change-email\/undo\?token=/)

    await app.post('/signup', { email: 'old@example.com', password: 'planted harbour 9' })
    assert.equal((await app.lastMail('new@example.com')).subject, 'You already have an account at Gatelodge')

    assert.equal((await app.post('/change-email/undo', { token: undo.token })).status, 200)
    assert.equal((await app.get('/session', { bearer: access })).status, 401)
    const restored = await app.lastMail('old@example.com')
    assert.match(restored.link, /\/reset-password\?token=/)
    assert.equal(
      (await app.post('/reset-password', { token: restored.token, new_password: 'another harbour 53' })).status,
      200,
    )
    assert.equal((await app.post('/signin', { email: 'old@example.com', password: 'another harbour 53' })).status, 200)
    assert.equal((await app.post('/change-email/undo', { token: undo.token })).code, 'token_invalid')
  })

  test('a thief who changes the address twice cannot undo the undo', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user({ email: 'old@example.com' })
    for (const email of ['thief1@example.com', 'thief2@example.com']) {
      const { access } = await app.tokens({
        ...ada,
        email: email === 'thief1@example.com' ? ada.email : 'thief1@example.com',
      })
      await askFor(app, ada, access, email)
      assert.equal((await app.post('/change-email/confirm', { token: (await app.lastMail(email)).token })).status, 200)
      app.clock.advance(3_600_000)
    }
    const mine = await app.lastMail('old@example.com')
    const theirs = await app.lastMail('thief1@example.com')

    assert.equal((await app.post('/change-email/undo', { token: mine.token })).status, 200)
    assert.equal((await app.post('/change-email/undo', { token: theirs.token })).code, 'token_invalid')
    assert.equal((await app.rows('users'))[0]?.email, 'old@example.com')
    assert.deepEqual(await app.rows('email_reservations'), [])
  })

  test('an undo link lives 72 hours', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user({ email: 'old@example.com' })
    const { access } = await app.tokens(ada)
    await askFor(app, ada, access, 'new@example.com')
    await app.post('/change-email/confirm', { token: (await app.lastMail('new@example.com')).token })
    const { token } = await app.lastMail('old@example.com')
    app.clock.advance(72 * 3_600_000)
    assert.equal((await app.post('/change-email/undo', { token })).code, 'token_invalid')
    await app.post('/signup', { email: 'old@example.com', password: 'quiet harbour 52', username: 'later' })
    assert.equal((await app.lastMail('old@example.com')).kind, 'signup')
  })

  test('a known address gets the same answer, and its owner a notice instead of a link', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const eve = await app.user()
    const { access } = await app.tokens(ada)

    const known = await askFor(app, ada, access, eve.email)
    const unknown = await askFor(app, ada, access, 'free@example.com')
    assert.deepEqual([known.status, known.json], [unknown.status, unknown.json])
    const notice = (await app.mails(eve.email)).at(-1)
    assert.equal(notice?.kind, 'email_change')
    assert.doesNotMatch(notice?.text ?? '', /token=/)
  })

  test('a link is void if its address has got an account in the meantime', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const { access } = await app.tokens(ada)
    await askFor(app, ada, access, 'race@example.com')
    const { token } = await app.lastMail('race@example.com')
    await app.user({ email: 'race@example.com' })
    assert.equal((await app.post('/change-email/confirm', { token })).code, 'token_invalid')
  })

  test('the password is asked for, and the own address is no new one', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const { access } = await app.tokens(ada)
    const wrong = await app.post(
      '/change-email',
      { new_email: 'x@example.com', password: 'wrong harbour' },
      { bearer: access },
    )
    assert.deepEqual([wrong.status, wrong.code], [400, 'incorrect_password'])
    assert.equal((await askFor(app, ada, access, ada.email.toUpperCase())).json.errors[0].code, 'unchanged')
    assert.equal(
      (await app.post('/change-email', { new_email: 'x@example.com' }, { bearer: access })).json.errors[0].field,
      'password',
    )
  })

  test('fifty parallel uses of one link have one success', async () => {
    await using app = await testApp({ engine, env: { GATELODGE_RATE_LIMITS: 'off' } })
    const ada = await app.user()
    const { access } = await app.tokens(ada)
    await askFor(app, ada, access, 'new@example.com')
    const { token } = await app.lastMail('new@example.com')
    const told = await Promise.all(Array.from({ length: 50 }, () => app.post('/change-email/confirm', { token })))
    assert.equal(told.filter(({ status }) => status === 200).length, 1)
    assert.equal(told.filter(({ code }) => code === 'token_invalid').length, 49)
  })

  test('the link ends with the session that asked, whichever way that ends', async () => {
    await using app = await testApp({ engine, env: { GATELODGE_RATE_LIMITS: 'off' } })
    const ways: Record<string, (ada: Person, session: { access: string; session: string }) => Promise<unknown>> = {
      'the owner ends all others': async (ada) =>
        app.delete('/me/sessions', { bearer: (await app.tokens(ada)).access }),
      'the owner ends this one': async (ada, { session }) =>
        app.delete(`/me/sessions/${session}`, { bearer: (await app.tokens(ada)).access }),
      'it signs out': (_ada, { access }) => app.post('/signout', {}, { bearer: access }),
      'it is replaced as it proves itself again': (ada, { access }) =>
        app.post('/reauthenticate', { password: ada.password }, { bearer: access }),
      'it is replaced as it signs in again': (ada, { access }) =>
        app.post('/signin', { email: ada.email, password: ada.password }, { bearer: access }),
      'another session changes the password': async (ada) =>
        app.post(
          '/change-password',
          { old_password: ada.password, new_password: 'another harbour 53' },
          { bearer: (await app.tokens(ada)).access },
        ),
      'its token is revoked': (_ada, { access }) => app.form('/oauth2/revoke', { token: access }),
      'it idles out': async () => app.clock.advance(7 * day),
    }
    for (const [way, end] of Object.entries(ways)) {
      const ada = await app.user()
      const session = await app.tokens(ada)
      const email = `new.${ada.email}`
      assert.equal((await askFor(app, ada, session.access, email)).status, 202)
      const { token } = await app.lastMail(email)
      await app.deps.store.migrationDb
        .updateTable('one_time_tokens')
        .set({ expires_at: app.clock.now() + 30 * day })
        .execute()
      await end(ada, session)
      assert.equal((await app.get('/session', { bearer: session.access })).status, 401, way)
      assert.equal((await app.post('/change-email/confirm', { token })).code, 'token_invalid', way)
      assert.equal((await app.rows('users')).find(({ id }) => id === ada.id)?.email, ada.email, way)
    }
  })

  test('the current address is notified of the request, without a token, immediately and then once an hour', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const { access } = await app.tokens(ada)
    const told = async () => (await app.mails(ada.email)).filter(({ kind }) => kind === 'email_change_requested')
    for (const email of ['one@example.com', 'two@example.com', 'three@example.com'])
      assert.equal((await askFor(app, ada, access, email)).status, 202)

    const [notice] = await told()
    assert.equal((await told()).length, 1)
    assert.match(notice?.text ?? '', /o\*\*\*@example\.com/)
    assert.doesNotMatch(`${notice?.text}${notice?.html}`, /token=|one@/)
    app.clock.advance(hour)
    assert.equal((await told()).length, 2)
    app.clock.advance(hour)
    assert.equal((await told()).length, 2)
  })

  test('a change asked for by a session that ended while its password was being checked is not begun', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const { access, session } = await app.tokens(ada)
    const mine = await app.tokens(ada)
    const { hasher } = app.deps
    const verify = hasher.verify
    hasher.verify = async (...job) => {
      hasher.verify = verify
      await app.delete(`/me/sessions/${session}`, { bearer: mine.access })
      return verify(...job)
    }
    assert.equal((await askFor(app, ada, access, 'new@example.com')).code, 'token_invalid')
    assert.deepEqual(await app.mails('new@example.com'), [])
  })

  test('an undo revokes the API tokens created since the change was requested, and no earlier one', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user({ email: 'old@example.com' })
    const { headers } = await app.client()
    const { access } = await app.tokens(ada)
    const create = async () => (await app.post('/me/tokens', { name: 'script' }, { bearer: access })).json.token
    const before = await create()
    app.clock.advance(minute)
    await askFor(app, ada, access, 'new@example.com')
    const since = await create()
    const { token } = await app.lastMail('new@example.com')
    await app.post('/change-email/confirm', { token }, { bearer: access })
    const undo = (await app.mails('old@example.com')).findLast(({ kind }) => kind === 'email_changed')
    const [, link = ''] = /undo\?token=(\S+)/.exec(undo?.text ?? '') ?? []
    assert.equal((await app.post('/change-email/undo', { token: link })).status, 200)
    assert.equal((await app.introspect(since, headers)).active, false)
    assert.equal((await app.introspect(before, headers)).active, true)
  })
})
