import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { WriteDb } from '../../src/store/store.ts'
import { forEachDatabase, type Person, type TestApp, testApp } from '../support/app.ts'
import { duringUnit } from '../support/races.ts'

const fresh = 'another harbour 53'

/** Returns credentials of every kind, each used once so that it is in memory. */
async function holdings(app: TestApp, person: Person) {
  const cookie = await app.cookie(person)
  const spent = await app.tokens(person)
  const rotated = (await app.post('/refresh', { refresh_token: spent.refresh })).json
  const other = await app.tokens(person)
  for (const bearer of [spent.access, rotated.access_token, other.access]) {
    assert.equal((await app.get('/session', { bearer })).status, 200)
  }
  assert.equal((await app.get('/session', { cookie })).status, 200)
  return {
    cookie,
    bearers: [spent.access, rotated.access_token as string, other.access],
    refreshes: [spent.refresh, rotated.refresh_token as string, other.refresh],
  }
}

async function assertDead(app: TestApp, held: Awaited<ReturnType<typeof holdings>>): Promise<void> {
  assert.equal((await app.get('/session', { cookie: held.cookie })).code, 'token_invalid')
  for (const bearer of held.bearers) assert.equal((await app.get('/session', { bearer })).code, 'token_invalid')
  for (const token of held.refreshes) {
    assert.equal((await app.post('/refresh', { refresh_token: token })).code, 'token_invalid')
  }
}

async function resetLink(app: TestApp, person: Person): Promise<string> {
  await app.post('/forgot-password', { email: person.email })
  return (await app.lastMail(person.email)).token
}

forEachDatabase('06 revocation', (engine) => {
  test('a reset ends sessions that memory knows, their access tokens and spent refresh tokens within their grace', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const held = await holdings(app, ada)
    const token = await resetLink(app, ada)
    assert.equal((await app.post('/reset-password', { token, new_password: fresh })).status, 200)
    await assertDead(app, held)
  })

  test('a password change ends the same of everybody else', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const held = await holdings(app, ada)
    const { access } = await app.tokens(ada)
    const told = await app.post(
      '/change-password',
      { old_password: ada.password, new_password: fresh },
      { bearer: access },
    )
    assert.equal(told.status, 200)
    await assertDead(app, held)
    assert.equal((await app.get('/session', { bearer: access })).status, 200)
  })

  test('undoing an email change and deleting the account revoke the same credentials', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user({ email: 'old@example.com' })
    const { access } = await app.tokens(ada)
    await app.post('/change-email', { new_email: 'new@example.com', password: ada.password }, { bearer: access })
    await app.post('/change-email/confirm', { token: (await app.lastMail('new@example.com')).token })
    const held = await holdings(app, { ...ada, email: 'new@example.com' })
    await app.post('/change-email/undo', { token: (await app.lastMail('old@example.com')).token })
    await assertDead(app, held)

    const { token } = await app.lastMail('old@example.com')
    assert.equal((await app.post('/reset-password', { token, new_password: fresh })).status, 200)
    const back = { ...ada, password: fresh }
    const later = await holdings(app, back)
    const { access: last } = await app.tokens(back)
    assert.equal((await app.delete('/me', { bearer: last }, { password: fresh })).status, 204)
    await assertDead(app, later)
  })

  test('a sign-in by the old password that races a reset leaves no live session', async () => {
    await using app = await testApp({ engine, env: { GATELODGE_RATE_LIMITS: 'off' } })
    const ada = await app.user()
    let password = ada.password
    for (let round = 0; round < 8; round += 1) {
      const token = await resetLink(app, ada)
      const next = `harbour number ${round} x`
      const stale = { email: ada.email, password }
      const [, ...told] = await Promise.all([
        app.post('/reset-password', { token, new_password: next }),
        ...Array.from({ length: 6 }, () => app.post('/signin', stale)),
      ])
      for (const { json } of told) {
        if (json.access_token)
          assert.equal((await app.get('/session', { bearer: json.access_token })).code, 'token_invalid')
      }
      assert.equal((await app.rows('sessions')).length, 0)
      password = next
    }
  })

  test('a change of address that is mailed while the password is being changed is void, as one that was mailed before', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const { access } = await app.tokens(ada)
    const wish = { new_email: 'new@example.com', password: ada.password }
    assert.equal((await app.post('/change-email', wish, { bearer: access })).status, 202)
    const changed = { password_hash: 'of another password', password_changed_at: app.clock.now() + 1 }
    const change = (db: WriteDb) => db.updateTable('users').set(changed).where('email', '=', ada.email).execute()
    await duringUnit(app.deps.store, change, () => app.composition.deliverMail())
    assert.deepEqual(await app.mails(wish.new_email), [])
    assert.deepEqual(
      (await app.rows('one_time_tokens')).filter(({ purpose }) => purpose === 'email_change'),
      [],
    )
  })
})
