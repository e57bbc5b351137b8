import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { forEachDatabase } from '../../test/support/app.ts'
import { password, signUp, type TestAuth, testAuth } from '../../test/support/auth.ts'
import { setActive } from '../admin/users/set-active.ts'
import { systemActor } from '../kernel/actor.ts'
import { hour } from '../kernel/clock.ts'
import { InvalidCredentialsError, InvalidToken, isAuthError, NotAuthenticated } from '../kernel/errors.ts'
import { engineOf } from './engine.ts'
import {
  changePassword,
  createPasswordResetToken,
  hashPassword,
  requestPasswordReset,
  resetPassword,
  verifyPassword,
  verifyPasswordResetToken,
} from './passwords.ts'
import { loginUser } from './sign-in.ts'
import { getLoggedInUser } from './tokens.ts'

const newPassword = 'second harbour 53'

forEachDatabase('passwords by the library', (engine) => {
  // One for all tests: each has people of its own.
  let app: TestAuth
  before(async () => {
    app = await testAuth({ engine, settings: { registration: 'instant' } })
  })
  after(() => app[Symbol.asyncDispose]())

  test('hashPassword makes a salted argon2id hash that verifyPassword accepts for this password only', async () => {
    const hash = await hashPassword(app.auth, password)
    assert.match(hash, /^\$argon2id\$/)
    assert.notEqual(await hashPassword(app.auth, password), hash)
    assert.equal(await verifyPassword(app.auth, password, hash), true)
    assert.equal(await verifyPassword(app.auth, newPassword, hash), false)
    assert.equal(await verifyPassword(app.auth, password, 'no hash'), false)
  })

  test('hashPassword refuses what is no text of a password’s length', async () => {
    for (const text of ['', 'x'.repeat(5000), undefined as unknown as string]) {
      await assert.rejects(hashPassword(app.auth, text), (error) => isAuthError(error, 'input_invalid'))
    }
  })

  test('createPasswordResetToken makes a token for an active account only', async () => {
    const { id, email } = await signUp(app)
    assert.equal(await createPasswordResetToken(app.auth, { email: 'nobody@example.com' }), null)
    assert.equal(typeof (await createPasswordResetToken(app.auth, { email: email.toUpperCase() })), 'string')
    await setActive(engineOf(app.auth).deps, systemActor('command', 'test'), { who: id, active: false })
    assert.equal(await createPasswordResetToken(app.auth, { email }), null)
  })

  test('verifyPasswordResetToken names the account and leaves the token unspent', async () => {
    const { id, email } = await signUp(app)
    const token = (await createPasswordResetToken(app.auth, { email })) ?? ''
    for (let look = 0; look < 2; look += 1) {
      assert.deepEqual(await verifyPasswordResetToken(app.auth, token), { userId: id, email })
    }
  })

  test('verifyPasswordResetToken raises InvalidToken for garbage, an expired token, a replaced one and an inactive account', async () => {
    const { id, email } = await signUp(app)
    const first = (await createPasswordResetToken(app.auth, { email })) ?? ''
    const second = (await createPasswordResetToken(app.auth, { email })) ?? ''
    await assert.rejects(verifyPasswordResetToken(app.auth, 'garbage'), InvalidToken)
    await assert.rejects(verifyPasswordResetToken(app.auth, first), InvalidToken)
    await setActive(engineOf(app.auth).deps, systemActor('command', 'test'), { who: id, active: false })
    await assert.rejects(verifyPasswordResetToken(app.auth, second), InvalidToken)
    await setActive(engineOf(app.auth).deps, systemActor('command', 'test'), { who: id, active: true })
    await verifyPasswordResetToken(app.auth, second)
    app.clock.advance(hour)
    await assert.rejects(verifyPasswordResetToken(app.auth, second), InvalidToken)
  })

  test('resetPassword works once by a token of createPasswordResetToken and ends every session', async () => {
    const { token: signedIn, id, email } = await signUp(app)
    const token = (await createPasswordResetToken(app.auth, { email })) ?? ''
    await resetPassword(app.auth, { token, newPassword })
    await assert.rejects(getLoggedInUser(app.auth, signedIn), InvalidToken)
    await assert.rejects(loginUser(app.auth, { email, password }), InvalidCredentialsError)
    assert.equal((await loginUser(app.auth, { email, password: newPassword })).user.id, id)
    await assert.rejects(resetPassword(app.auth, { token, newPassword }), InvalidToken)
  })

  test('requestPasswordReset mails a token to a known address and nothing to an unknown one', async () => {
    const { id, email } = await signUp(app)
    await requestPasswordReset(app.auth, { email })
    await requestPasswordReset(app.auth, { email: 'nobody@example.com' })
    const token = await app.mailedToken(email)
    assert.deepEqual(await verifyPasswordResetToken(app.auth, token), { userId: id, email })
    assert.deepEqual(await app.mails('nobody@example.com'), [])
  })

  test('changePassword needs the person’s token and the old password', async () => {
    const { token, id, email } = await signUp(app)
    const input = { oldPassword: password, newPassword }
    await assert.rejects(changePassword(app.auth, input, {}), NotAuthenticated)
    await assert.rejects(changePassword(app.auth, input, { token: 'garbage' }), InvalidToken)
    await assert.rejects(changePassword(app.auth, { ...input, oldPassword: 'wrong' }, { token }), (error) =>
      isAuthError(error, 'incorrect_password'),
    )

    await changePassword(app.auth, input, { token })
    assert.equal((await loginUser(app.auth, { email, password: newPassword })).user.id, id)
    assert.equal((await getLoggedInUser(app.auth, token)).id, id)
  })
})
