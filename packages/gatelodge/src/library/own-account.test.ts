import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { forEachDatabase } from '../../test/support/app.ts'
import { password, signUp, type TestAuth, testAuth } from '../../test/support/auth.ts'
import { hour } from '../kernel/clock.ts'
import { InvalidCredentialsError, InvalidToken, isAuthError, NotAuthenticated, UserNotFound } from '../kernel/errors.ts'
import { getUserRepository } from './addresses.ts'
import {
  confirmEmailChange,
  deleteOwnAccount,
  exportOwnData,
  listSessions,
  requestEmailChange,
  resendVerification,
  revokeSession,
  undoEmailChange,
  updateProfile,
  verifyEmail,
} from './own-account.ts'
import { resetPassword } from './passwords.ts'
import { loginUser, registerUser } from './sign-in.ts'
import { createAccessToken, getLoggedInUser } from './tokens.ts'

const email = 'ada@example.com'

forEachDatabase('own account by the library', (engine) => {
  // One for all tests: each has people of its own.
  let app: TestAuth
  before(async () => {
    app = await testAuth({ engine, settings: { registration: 'instant' } })
  })
  after(() => app[Symbol.asyncDispose]())

  test('verifyEmail asks for the password or the sign-up token, and works once', async () => {
    await using app = await testAuth({ engine })
    await registerUser(app.auth, { email, password })
    const token = await app.mailedToken(email)
    await assert.rejects(verifyEmail(app.auth, { token }), (error) => isAuthError(error, 'password_required'))
    await assert.rejects(verifyEmail(app.auth, { token, password: 'wrong' }), (error) =>
      isAuthError(error, 'incorrect_password'),
    )
    assert.equal((await verifyEmail(app.auth, { token, password })).emailVerified, true)
    await assert.rejects(verifyEmail(app.auth, { token, password }), InvalidToken)
  })

  test('resendVerification mails a fresh link', async () => {
    await using app = await testAuth({ engine })
    await registerUser(app.auth, { email, password })
    const first = await app.mailedToken(email)
    await resendVerification(app.auth, { email })
    const second = await app.mailedToken(email)
    assert.notEqual(second, first)
    assert.equal((await verifyEmail(app.auth, { token: second, password })).email, email)
  })

  test('resendVerification raises UserNotFound where enumeration is explicit', async () => {
    await using app = await testAuth({ engine, settings: { enumeration: 'explicit' } })
    await assert.rejects(resendVerification(app.auth, { email }), UserNotFound)
  })

  test('an address changes by requestEmailChange and confirmEmailChange, and comes back by undoEmailChange', async () => {
    const ada = await signUp(app)
    const newEmail = `new.${ada.email}`
    const caller = { token: ada.token }
    const other = await createAccessToken(app.auth, { sub: ada.id })
    await requestEmailChange(app.auth, { newEmail, password }, caller)
    assert.equal((await getLoggedInUser(app.auth, ada.token)).email, ada.email)

    const confirmed = await confirmEmailChange(app.auth, { token: await app.mailedToken(newEmail) }, caller)
    assert.equal(confirmed.email, newEmail)
    assert.equal((await getLoggedInUser(app.auth, ada.token)).email, newEmail)
    await assert.rejects(getLoggedInUser(app.auth, other), InvalidToken)

    const token = await app.mailedToken(ada.email)
    await undoEmailChange(app.auth, { token })
    await assert.rejects(getLoggedInUser(app.auth, ada.token), InvalidToken)
    await assert.rejects(loginUser(app.auth, { email: ada.email, password }), InvalidCredentialsError)
    const newPassword = 'another harbour 53'
    await resetPassword(app.auth, { token: await app.mailedToken(ada.email), newPassword })
    assert.equal((await loginUser(app.auth, { email: ada.email, password: newPassword })).user.email, ada.email)
    await assert.rejects(undoEmailChange(app.auth, { token }), InvalidToken)
  })

  test('confirmEmailChange needs no session and then ends them all', async () => {
    const ada = await signUp(app)
    const newEmail = `new.${ada.email}`
    await requestEmailChange(app.auth, { newEmail, password }, { token: ada.token })
    const token = await app.mailedToken(newEmail)
    await confirmEmailChange(app.auth, { token })
    await assert.rejects(getLoggedInUser(app.auth, ada.token), InvalidToken)
    await assert.rejects(confirmEmailChange(app.auth, { token }), InvalidToken)
  })

  test('updateProfile changes what is given, clears by null and checks each field', async () => {
    const ada = await signUp(app)
    const caller = { token: ada.token }
    const changed = await updateProfile(
      app.auth,
      { fullname: 'Ada Byron', profile: { website: 'https://ada.example.com' } },
      caller,
    )
    assert.deepEqual([changed.firstName, changed.lastName, changed.username], ['Ada', 'Byron', ada.username])
    const cleared = await updateProfile(app.auth, { username: null, profile: { website: null } }, caller)
    assert.deepEqual([cleared.username, cleared.profile.website, cleared.firstName], [null, null, 'Ada'])
    await assert.rejects(updateProfile(app.auth, { profile: { website: 'javascript:0' } }, caller), (error) =>
      isAuthError(error, 'input_invalid'),
    )
  })

  test('listSessions and revokeSession show and end the person’s own sessions only', async () => {
    const ada = await signUp(app)
    const bo = await registerUser(app.auth, { email: 'bo@example.com', password })
    assert.equal(bo.status, 'signed_in')
    const other = await createAccessToken(app.auth, { sub: ada.id })
    const [foreign] = await listSessions(app.auth, { token: bo.accessToken })
    const sessions = await listSessions(app.auth, { token: ada.token })
    assert.equal(sessions.length, 2)

    await assert.rejects(revokeSession(app.auth, { id: foreign?.id ?? '' }, { token: ada.token }), (error) =>
      isAuthError(error, 'not_found'),
    )
    for (const { id } of await listSessions(app.auth, { token: other })) {
      await revokeSession(app.auth, { id }, { token: other }).catch((error) => assert.ok(error instanceof InvalidToken))
    }
    await assert.rejects(getLoggedInUser(app.auth, other), InvalidToken)
    assert.equal((await getLoggedInUser(app.auth, bo.accessToken)).email, 'bo@example.com')
  })

  test('exportOwnData gives everything but secrets, after a fresh proof', async () => {
    const ada = await signUp(app)
    const data = await exportOwnData(app.auth, { token: ada.token })
    assert.equal(data.user.id, ada.id)
    assert.equal(data.sessions.length, 1)
    assert.ok(data.events.some(({ name }) => name === 'user.created'))
    assert.doesNotMatch(JSON.stringify(data), /argon2/)

    app.clock.advance(hour)
    const token = await createAccessToken(app.auth, { sub: ada.id, sid: data.sessions[0]?.id })
    await assert.rejects(exportOwnData(app.auth, { token }), (error) => isAuthError(error, 'reauthentication_required'))
  })

  test('deleteOwnAccount removes the account by its password', async () => {
    const ada = await signUp(app)
    await assert.rejects(deleteOwnAccount(app.auth, { password: 'wrong' }, { token: ada.token }), (error) =>
      isAuthError(error, 'incorrect_password'),
    )
    await deleteOwnAccount(app.auth, { password }, { token: ada.token })
    assert.equal(await getUserRepository(app.auth).getById(ada.id), null)
  })

  test('operations that act for a signed-in user throw NotAuthenticated without a token', async () => {
    await using app = await testAuth({ engine })
    const calls = [
      requestEmailChange(app.auth, { newEmail: 'ada@new.example.com', password }, {}),
      updateProfile(app.auth, {}, {}),
      listSessions(app.auth, {}),
      revokeSession(app.auth, { id: 'x' }, {}),
      exportOwnData(app.auth, {}),
      deleteOwnAccount(app.auth, {}, {}),
    ]
    for (const call of calls) await assert.rejects(call, NotAuthenticated)
  })
})
