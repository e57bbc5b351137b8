import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forEachDatabase, type TestApp, testApp } from '../support/app.ts'
import { linkOf } from '../support/attack.ts'

const victim = 'victim@example.com'
const planted = 'planted harbour 9'
const own = 'quiet harbour 52'

/** Takes over the account with a reset, as a victim who finds the address registered would. */
async function victimResets(app: TestApp): Promise<void> {
  await app.post('/forgot-password', { email: victim })
  const mail = (await app.mails(victim)).filter(({ kind }) => kind === 'password_reset').at(-1)
  const { token } = linkOf(mail?.text ?? '')
  assert.equal((await app.post('/reset-password', { token, new_password: own })).status, 200)
}

forEachDatabase('20 pre-hijacking', (engine) => {
  test('classic: a password planted by an earlier sign-up never opens the account that the owner confirms', async () => {
    await using app = await testApp({ engine })
    await app.post('/signup', { email: victim, password: planted, username: 'mallory', first_name: 'Mallory' })
    const theirs = await app.lastMail(victim)
    assert.equal((await app.post('/verify-email', { token: theirs.token })).code, 'password_required')

    await app.post('/signup', { email: victim, password: own, username: 'victim' })
    const { token } = await app.lastMail(victim)
    assert.equal((await app.post('/verify-email', { token, password: planted })).code, 'incorrect_password')
    const { user } = (await app.post('/verify-email', { token, password: own })).json
    assert.deepEqual([user.username, user.first_name], ['victim', ''])
    assert.equal((await app.post('/verify-email', { token: theirs.token, password: planted })).code, 'token_invalid')
    assert.equal((await app.post('/signin', { email: victim, password: planted })).code, 'invalid_credentials')
    assert.deepEqual(await app.rows('pending_signups'), [])
  })

  test('unexpired session: nothing that the attacker of an `instant` account holds survives the owner’s reset', async () => {
    await using app = await testApp({ engine, env: { GATELODGE_REGISTRATION: 'instant' } })
    const thief = await app.post('/signup', { email: victim, password: planted, username: 'victim' })
    const cookie = await app.cookie({ id: '', email: victim, username: 'victim', password: planted })
    await app.get('/session', { cookie })
    await victimResets(app)

    assert.equal((await app.get('/session', { cookie })).code, 'token_invalid')
    assert.equal((await app.get('/session', { bearer: thief.json.access_token })).code, 'token_invalid')
    assert.equal((await app.post('/refresh', { refresh_token: thief.json.refresh_token })).code, 'token_invalid')
    for (const name of [{ email: victim }, { username: 'victim' }]) {
      assert.equal((await app.post('/signin', { ...name, password: planted })).code, 'invalid_credentials')
    }
  })

  test('unexpired sign-up cookie: it confirms nothing once the owner has the account', async () => {
    await using app = await testApp({ engine, env: { GATELODGE_REGISTRATION: 'instant' } })
    const thief = await app.post('/signup', { email: victim, password: planted })
    const mail = (await app.mails(victim)).find(({ kind }) => kind === 'verification')
    await victimResets(app)
    const headers = { cookie: `gatelodge-signup=${thief.cookie('gatelodge-signup')}` }
    const told = await app.post('/verify-email', { token: linkOf(mail?.text ?? '').token }, { headers })
    assert.equal(told.code, 'token_invalid')
  })

  test('unexpired email change: one that the attacker requested earlier is void, whether its email was sent or is pending', async () => {
    await using app = await testApp({ engine, env: { GATELODGE_REGISTRATION: 'instant' } })
    const thief = await app.post('/signup', { email: victim, password: planted })
    const bearer = thief.json.access_token
    await app.post('/change-email', { new_email: 'thief1@example.com', password: planted }, { bearer })
    const mailed = await app.lastMail('thief1@example.com')
    await app.post('/forgot-password', { email: victim })
    const reset = (await app.mails(victim)).filter(({ kind }) => kind === 'password_reset').at(-1)
    await app.post('/change-email', { new_email: 'thief2@example.com', password: planted }, { bearer })
    const { token } = linkOf(reset?.text ?? '')
    assert.equal((await app.post('/reset-password', { token, new_password: own })).status, 200)

    assert.equal((await app.post('/change-email/confirm', { token: mailed.token })).code, 'token_invalid')
    assert.deepEqual(await app.mails('thief2@example.com'), [])
    assert.equal((await app.post('/signin', { email: victim, password: own })).json.user.email, victim)
  })

  test('trojan identifier: the username that the attacker chose opens nothing, and can be given up', async () => {
    await using app = await testApp({ engine, env: { GATELODGE_REGISTRATION: 'instant' } })
    await app.post('/signup', { email: victim, password: planted, username: 'trojan' })
    await victimResets(app)
    assert.equal((await app.post('/signin', { username: 'trojan', password: planted })).code, 'invalid_credentials')
    const { json } = await app.post('/signin', { email: victim, password: own })
    const told = await app.patch('/me', { username: null }, { bearer: json.access_token })
    assert.equal(told.json.username, null)
    assert.equal((await app.post('/signin', { username: 'trojan', password: own })).code, 'invalid_credentials')
  })

  test('an address change to an address that waits for its sign-up does not wait inside: its link dies with the owner’s account', async () => {
    await using app = await testApp({ engine })
    const mallory = await app.user({ password: planted })
    const { access } = await app.tokens(mallory)
    await app.post('/change-email', { new_email: victim, password: mallory.password }, { bearer: access })
    const { token } = await app.lastMail(victim)
    await app.user({ email: victim, password: own })
    assert.equal((await app.post('/change-email/confirm', { token })).code, 'token_invalid')
    assert.equal((await app.post('/signin', { email: victim, password: mallory.password })).code, 'invalid_credentials')
  })
})
