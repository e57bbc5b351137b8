import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forEachDatabase, type TestApp, testApp } from '../support/app.ts'
import { linkOf } from '../support/attack.ts'

/** Moves the account of old@example.com to thief@example.com, as a thief with session and password. */
async function theft(app: TestApp) {
  const ada = await app.user({ email: 'old@example.com' })
  const { access } = await app.tokens(ada)
  await app.post('/change-email', { new_email: 'thief@example.com', password: ada.password }, { bearer: access })
  const { token } = await app.lastMail('thief@example.com')
  assert.equal((await app.post('/change-email/confirm', { token }, { bearer: access })).status, 200)
  const undo = (await app.lastMail('old@example.com')).token
  return { ada, access, undo }
}

/** Recovers the account as its owner, and revokes what the thief holds. */
async function recover(app: TestApp, undo: string): Promise<void> {
  assert.equal((await app.post('/change-email/undo', { token: undo })).status, 200)
  const mail = (await app.mails('old@example.com')).filter(({ kind }) => kind === 'email_restored').at(-1)
  const { token } = linkOf(mail?.text ?? '')
  assert.equal((await app.post('/reset-password', { token, new_password: 'recovered harbour 1' })).status, 200)
  assert.equal((await app.post('/signin', { email: 'old@example.com', password: 'recovered harbour 1' })).status, 200)
}

forEachDatabase('36 email change takeover', (engine) => {
  test('the undo works even after the thief changed the password', async () => {
    await using app = await testApp({ engine })
    const { ada, access, undo } = await theft(app)
    const changed = await app.post(
      '/change-password',
      { old_password: ada.password, new_password: 'stolen harbour 66' },
      { bearer: access },
    )
    assert.equal(changed.status, 200)
    await recover(app, undo)
    assert.equal(
      (await app.post('/signin', { email: 'old@example.com', password: 'stolen harbour 66' })).code,
      'invalid_credentials',
    )
    assert.equal((await app.get('/session', { bearer: access })).code, 'token_invalid')
  })

  test('the undo works even after the thief reset the password through the stolen address, and their reset link is void', async () => {
    await using app = await testApp({ engine })
    const { undo } = await theft(app)
    await app.post('/forgot-password', { email: 'thief@example.com' })
    const first = await app.lastMail('thief@example.com')
    assert.equal(
      (await app.post('/reset-password', { token: first.token, new_password: 'stolen harbour 66' })).status,
      200,
    )
    await app.post('/forgot-password', { email: 'thief@example.com' })
    const second = (await app.mails('thief@example.com')).filter(({ kind }) => kind === 'password_reset').at(-1)
    await recover(app, undo)
    const late = await app.post('/reset-password', {
      token: linkOf(second?.text ?? '').token,
      new_password: 'stolen harbour 67',
    })
    assert.equal(late.code, 'token_invalid')
  })

  test('a change that the thief has under way does not survive the undo', async () => {
    await using app = await testApp({ engine })
    const { ada, access, undo } = await theft(app)
    await app.post('/change-email', { new_email: 'next@example.com', password: ada.password }, { bearer: access })
    const next = (await app.lastMail('next@example.com')).token
    await app.post('/change-email', { new_email: 'later@example.com', password: ada.password }, { bearer: access })
    assert.equal((await app.post('/change-email/undo', { token: undo })).status, 200)
    assert.equal((await app.post('/change-email/confirm', { token: next })).code, 'token_invalid')
    assert.deepEqual(await app.mails('later@example.com'), [])
  })

  test('while the undo link is valid, no other user can take the former address by sign-up or email change', async () => {
    await using app = await testApp({ engine })
    const { undo } = await theft(app)
    const links = async () =>
      (await app.mails('old@example.com')).filter(({ text }) => /verify-email\?token=/.test(text)).length
    const before = await links()
    const eve = await app.user()
    const { access } = await app.tokens(eve)
    await app.post('/change-email', { new_email: 'old@example.com', password: eve.password }, { bearer: access })
    assert.deepEqual(
      (await app.mails('old@example.com')).filter(({ kind }) => kind === 'email_change'),
      [],
    )
    await app.post('/signup', { email: 'old@example.com', password: 'planted harbour 9' })
    assert.equal(await links(), before)
    await recover(app, undo)
  })

  test('the confirming person’s own session is not taken for the owner’s, and only the newest link works', async () => {
    await using app = await testApp({ engine })
    const [ada, eve] = [await app.user(), await app.user()]
    const { access } = await app.tokens(ada)
    const mine = await app.tokens(eve)
    const tokens = []
    for (const email of ['one@example.com', 'two@example.com']) {
      await app.post('/change-email', { new_email: email, password: ada.password }, { bearer: access })
      tokens.push((await app.lastMail(email)).token)
    }
    assert.equal(
      (await app.post('/change-email/confirm', { token: tokens[0] }, { bearer: mine.access })).code,
      'token_invalid',
    )
    const told = await app.post('/change-email/confirm', { token: tokens[1] }, { bearer: mine.access })
    assert.deepEqual([told.json.user.id, told.json.user.email], [ada.id, 'two@example.com'])
    assert.equal((await app.get('/session', { bearer: mine.access })).json.user.email, eve.email)
    assert.equal((await app.get('/session', { bearer: access })).code, 'token_invalid')
  })

  test('the notice to the former address does not give the new one away', async () => {
    await using app = await testApp({ engine })
    await theft(app)
    const notice = await app.lastMail('old@example.com')
    assert.equal(notice.kind, 'email_changed')
    assert.doesNotMatch(notice.text + notice.html, /thief@/)
  })

  test('the undo turns the thief’s password off: it opens nothing, changes nothing and deletes nothing', async () => {
    await using app = await testApp({ engine })
    const { ada, access, undo } = await theft(app)
    assert.equal((await app.post('/change-email/undo', { token: undo })).status, 200)
    const { token } = await app.lastMail('old@example.com')

    for (const email of ['old@example.com', 'thief@example.com'])
      assert.equal((await app.post('/signin', { email, password: ada.password })).code, 'invalid_credentials')
    const change = { old_password: ada.password, new_password: 'stolen harbour 66' }
    assert.equal((await app.post('/change-password', change, { bearer: access })).code, 'token_invalid')
    assert.equal((await app.delete('/me', { bearer: access }, { password: ada.password })).code, 'token_invalid')
    assert.equal((await app.post('/reset-password', { token, new_password: 'recovered harbour 1' })).status, 200)
  })

  test('what the thief has under way while the owner takes the account back comes to nothing', async () => {
    await using app = await testApp({ engine, env: { GATELODGE_RATE_LIMITS: 'off' } })
    for (let round = 0; round < 6; round += 1) {
      const ada = await app.user()
      const thief = await app.cookie(ada)
      const passwords = { old_password: ada.password, new_password: 'stolen harbour 66' }
      await app.post('/change-password', passwords, { cookie: thief })
      const { token } = await app.lastMail(ada.email)
      const mine = { ...passwords, old_password: 'stolen harbour 66' }

      const acts = Array.from({ length: 12 }, (_, index) => [
        app.post('/change-password', { ...mine, new_password: `stolen harbour 7${index}` }, { cookie: thief }),
        app.post('/signin', { email: ada.email, password: 'stolen harbour 66', session: 'cookie' }),
        app.post('/reauthenticate', { password: 'stolen harbour 66' }, { cookie: thief }),
        app.post('/me/tokens', { name: `mine ${index}` }, { cookie: thief }),
        app.post(
          '/change-email',
          { new_email: `thief${round}@example.com`, password: mine.old_password },
          { cookie: thief },
        ),
      ])
      const [undone, ...told] = await Promise.all([app.post('/security/undo', { token }), ...acts.flat()])
      assert.equal(undone.status, 200, undone.text)
      assert.deepEqual(
        told.filter(({ status }) => status >= 500),
        [],
      )

      const sessions = await app.rows('sessions')
      assert.deepEqual(
        sessions.filter(({ user_id }) => user_id === ada.id),
        [],
      )
      const tokens = await app.rows('api_tokens')
      assert.deepEqual(
        tokens.filter(({ user_id }) => user_id === ada.id),
        [],
      )
      const [row] = (await app.rows('users')).filter(({ id }) => id === ada.id)
      assert.deepEqual([row?.email, row?.password_hash], [ada.email, null])
      assert.deepEqual(await app.mails(`thief${round}@example.com`), [])
    }
  })

  test('a clock that was set back, or is behind on another server, does not make the address of a thief the older one', async () => {
    await using app = await testApp({ engine })
    const { ada, access, undo } = await theft(app)
    app.clock.advance(-5_000)
    await app.post('/change-email', { new_email: 'second@example.com', password: ada.password }, { bearer: access })
    const { token } = await app.lastMail('second@example.com')
    assert.equal((await app.post('/change-email/confirm', { token }, { bearer: access })).status, 200)
    const theirs = (await app.lastMail('thief@example.com')).token
    app.clock.advance(60_000)

    await recover(app, undo)
    assert.equal((await app.post('/change-email/undo', { token: theirs })).code, 'token_invalid')
  })
})
