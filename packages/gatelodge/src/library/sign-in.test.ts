import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { inspect } from 'node:util'
import { forEachDatabase } from '../../test/support/app.ts'
import { password, type TestAuth, testAuth } from '../../test/support/auth.ts'
import { createAccount, createAdministrator } from '../admin/users/create-user.ts'
import { systemActor } from '../kernel/actor.ts'
import { minute } from '../kernel/clock.ts'
import {
  InvalidCredentialsError,
  isAuthError,
  MissingFieldError,
  NoAuthUserError,
  PasswordChangeRequiredError,
  SessionValidationError,
  TokenError,
  UserAlreadyExistsError,
} from '../kernel/errors.ts'
import type { Auth } from './auth.ts'
import { engineOf } from './engine.ts'
import { listSessions } from './own-account.ts'
import {
  authenticateUser,
  loginUser,
  logoutUser,
  refreshToken,
  registerUser,
  replaceInitialPassword,
  statelessLogout,
} from './sign-in.ts'
import { createAccessToken, getLoggedInUser } from './tokens.ts'

let people = 0

function newPerson() {
  people += 1
  return { email: `ada${people}@example.com`, password, username: `ada${people}`, fullname: 'Ada Lovelace' }
}

async function administrator(auth: Auth): Promise<string> {
  const { deps } = engineOf(auth)
  const input = { email: 'root@example.com', password }
  const { user } = await createAdministrator(deps, systemActor('command', 'test'), input)
  return createAccessToken(auth, { sub: user.id })
}

forEachDatabase('sign-in by the library', (engine) => {
  // One for all tests in mode instant: each has people of its own.
  let app: TestAuth
  before(async () => {
    app = await testAuth({ engine, settings: { registration: 'instant' } })
  })
  after(() => app[Symbol.asyncDispose]())

  test('registerUser in mode verify mails a link, and the account exists once it is confirmed', async () => {
    await using app = await testAuth({ engine })
    const ada = newPerson()
    const result = await registerUser(app.auth, ada)
    assert.equal(result.status, 'verification_required')
    assert.equal(await app.auth.api.checkUsernameExists(ada.username), false)

    const token = await app.mailedToken(ada.email)
    const user = await app.auth.api.verifyEmail({ token, signUpToken: result.signUpToken })
    assert.deepEqual([user.email, user.username, user.fullname], [ada.email, ada.username, 'Ada Lovelace'])
  })

  test('registerUser in mode verify does not tell that an address has an account', async () => {
    await using app = await testAuth({ engine })
    const ada = newPerson()
    const first = await registerUser(app.auth, ada)
    assert.equal(first.status, 'verification_required')
    const token = await app.mailedToken(ada.email)
    await app.auth.api.verifyEmail({ token, signUpToken: first.signUpToken })
    assert.equal((await registerUser(app.auth, { email: ada.email, password })).status, 'verification_required')
  })

  test('registerUser in mode instant makes the account and signs it in', async () => {
    const ada = newPerson()
    const result = await registerUser(app.auth, ada)
    assert.equal(result.status, 'signed_in')
    assert.deepEqual(await getLoggedInUser(app.auth, result.accessToken), result.user)
    assert.equal(result.expiresIn, 900)
  })

  test('registerUser raises UserAlreadyExistsError for an address that has an account', async () => {
    const ada = newPerson()
    await registerUser(app.auth, ada)
    await assert.rejects(registerUser(app.auth, { email: ada.email.toUpperCase(), password }), UserAlreadyExistsError)
  })

  test('registerUser raises username_taken for a name that has an account', async () => {
    const ada = newPerson()
    await registerUser(app.auth, ada)
    await assert.rejects(registerUser(app.auth, { ...ada, email: 'bo@example.com' }), (error) =>
      isAuthError(error, 'username_taken'),
    )
  })

  test('registerUser raises MissingFieldError naming the field that is missing', async () => {
    const ada = newPerson()
    const { password: _, ...withoutPassword } = ada
    await assert.rejects(
      registerUser(app.auth, withoutPassword as typeof ada),
      (error) => error instanceof MissingFieldError && error.faults[0]?.field === 'password',
    )
  })

  test('registerUser refuses unknown and malformed fields as the HTTP door does', async () => {
    const ada = newPerson()
    for (const part of [{ isStaff: true }, { firstName: 'a\u202eb', fullname: undefined }, { email: 7 }]) {
      await assert.rejects(registerUser(app.auth, { ...ada, ...part } as typeof ada), (error) =>
        isAuthError(error, 'input_invalid'),
      )
    }
  })

  for (const registration of ['admin', 'closed']) {
    test(`registerUser in mode ${registration} needs the token of an administrator`, async () => {
      await using app = await testAuth({ engine, settings: { registration } })
      const ada = newPerson()
      const isClosed = (error: unknown) => isAuthError(error, 'registration_closed')
      await assert.rejects(registerUser(app.auth, ada), isClosed)

      const token = await administrator(app.auth)
      const result = await registerUser(app.auth, ada, { token })
      assert.equal(result.status, 'created')
      assert.equal(result.user.email, ada.email)

      await app.auth.api.verifyEmail({ token: await app.mailedToken(ada.email), password })
      const own = await loginUser(app.auth, { username: ada.username, password })
      const bo = { email: 'bo@example.com', password }
      await assert.rejects(registerUser(app.auth, bo, { token: own.accessToken }), isClosed)
      await assert.rejects(registerUser(app.auth, bo, { token: 'garbage' }), SessionValidationError)
      await logoutUser(app.auth, token)
      await assert.rejects(registerUser(app.auth, bo, { token }), SessionValidationError)
    })
  }

  test('authenticateUser returns a pair of tokens for a username, an email address or an identifier', async () => {
    const ada = newPerson()
    await registerUser(app.auth, ada)
    for (const name of [
      { username: ada.username.toUpperCase() },
      { email: ada.email.toUpperCase() },
      { identifier: ada.username },
    ]) {
      const pair = await authenticateUser(app.auth, { ...name, password })
      assert.deepEqual(Object.keys(pair).toSorted(), ['accessToken', 'refreshToken'])
      assert.equal((await getLoggedInUser(app.auth, pair.accessToken)).username, ada.username)
    }
  })

  test('authenticateUser and loginUser raise InvalidCredentialsError for wrong and unknown alike', async () => {
    const ada = newPerson()
    await registerUser(app.auth, ada)
    for (const operation of [authenticateUser, loginUser]) {
      await assert.rejects(operation(app.auth, { username: ada.username, password: 'wrong' }), InvalidCredentialsError)
      await assert.rejects(operation(app.auth, { username: 'unknown', password }), InvalidCredentialsError)
      await assert.rejects(operation(app.auth, { password }), MissingFieldError)
    }
  })

  test('loginUser answers tokens and the public user, without any hash', async () => {
    const ada = newPerson()
    await registerUser(app.auth, ada)
    const { user, ...tokens } = await loginUser(app.auth, { email: ada.email, password })
    assert.deepEqual({ ...user, id: '' }, { id: '', username: ada.username, email: ada.email, isActive: true })
    assert.deepEqual(Object.keys(tokens).toSorted(), ['accessToken', 'expiresIn', 'refreshToken'])
  })

  test('what the host knows of a client stands in its session', async () => {
    const ada = newPerson()
    await registerUser(app.auth, ada)
    const client = { ip: '192.0.2.7', userAgent: 'curl/8.0' }
    const { accessToken } = await loginUser(app.auth, { email: ada.email, password }, client)
    const sessions = await listSessions(app.auth, { token: accessToken })
    assert.ok(sessions.some(({ ip, device }) => ip === client.ip && device === 'curl'))
  })

  test('logoutUser answers the username and invalidates access and refresh token', async () => {
    const ada = newPerson()
    await registerUser(app.auth, ada)
    const pair = await authenticateUser(app.auth, { username: ada.username, password })
    assert.equal(await logoutUser(app.auth, pair.accessToken), ada.username)
    await assert.rejects(getLoggedInUser(app.auth, pair.accessToken), (error) => isAuthError(error, 'token_invalid'))
    await assert.rejects(refreshToken(app.auth, pair.refreshToken), TokenError)
  })

  test('logoutUser takes an access token that has expired', async () => {
    const ada = newPerson()
    await registerUser(app.auth, ada)
    const pair = await authenticateUser(app.auth, { username: ada.username, password })
    app.clock.advance(20 * minute)
    assert.equal(await logoutUser(app.auth, pair.accessToken), ada.username)
    await assert.rejects(refreshToken(app.auth, pair.refreshToken), TokenError)
  })

  test('logoutUser answers null for an account without a username', async () => {
    const ada = newPerson()
    const result = await registerUser(app.auth, { email: ada.email, password })
    assert.equal(result.status, 'signed_in')
    assert.equal(await logoutUser(app.auth, result.accessToken), null)
  })

  test('logoutUser throws NoAuthUserError when the token belongs to no signed-in user', async () => {
    const ada = newPerson()
    const result = await registerUser(app.auth, ada)
    assert.equal(result.status, 'signed_in')
    await logoutUser(app.auth, result.accessToken)
    await assert.rejects(logoutUser(app.auth, result.accessToken), NoAuthUserError)
    await assert.rejects(logoutUser(app.auth, 'garbage'), NoAuthUserError)
  })

  test('statelessLogout answers a message and invalidates nothing', async () => {
    const ada = newPerson()
    const result = await registerUser(app.auth, ada)
    assert.equal(result.status, 'signed_in')
    assert.equal(typeof statelessLogout().message, 'string')
    assert.equal((await getLoggedInUser(app.auth, result.accessToken)).username, ada.username)
  })

  test('refreshToken answers a new pair that works', async () => {
    const ada = newPerson()
    await registerUser(app.auth, ada)
    const pair = await authenticateUser(app.auth, { username: ada.username, password })
    const fresh = await refreshToken(app.auth, pair.refreshToken)
    assert.notEqual(fresh.refreshToken, pair.refreshToken)
    assert.equal((await getLoggedInUser(app.auth, fresh.accessToken)).username, ada.username)
  })

  test('refreshToken raises TokenError for garbage, for an access token and after its grace', async () => {
    const ada = newPerson()
    await registerUser(app.auth, ada)
    const pair = await authenticateUser(app.auth, { username: ada.username, password })
    await assert.rejects(refreshToken(app.auth, 'garbage'), TokenError)
    await assert.rejects(refreshToken(app.auth, pair.accessToken), TokenError)
    await refreshToken(app.auth, pair.refreshToken)
    app.clock.advance(minute)
    await assert.rejects(refreshToken(app.auth, pair.refreshToken), TokenError)
  })

  test('an initial password is replaced before the user is signed in', async () => {
    const { deps } = engineOf(app.auth)
    const { email } = newPerson()
    const input = { email, password, mustChangePassword: true }
    await createAccount(deps, systemActor('command', 'test'), input)

    const refusal = await loginUser(app.auth, { email, password }).catch((error: unknown) => error)
    assert.ok(refusal instanceof PasswordChangeRequiredError)
    assert.equal(refusal.expiresIn, 600)
    const { changeToken } = refusal
    for (const shown of [inspect(refusal), JSON.stringify(refusal), JSON.stringify({ ...refusal })])
      assert.equal(shown.includes(changeToken), false)
    const same = replaceInitialPassword(app.auth, { changeToken, newPassword: password })
    await assert.rejects(same, { code: 'input_invalid' })
    const signedIn = await app.auth.api.replaceInitialPassword({ changeToken, newPassword: 'calm lagoon 7 tides' })
    assert.equal((await getLoggedInUser(app.auth, signedIn.accessToken)).email, email)
    const again = replaceInitialPassword(app.auth, { changeToken, newPassword: 'another harbour 2' })
    await assert.rejects(again, (error) => error instanceof TokenError)
  })

  test('the ticket of a browser’s sign-in is not replaced by the library, and still works over HTTP', async () => {
    const { deps } = engineOf(app.auth)
    const { email } = newPerson()
    await createAccount(deps, systemActor('command', 'test'), { email, password, mustChangePassword: true })
    const post = async (path: string, body: unknown) => {
      const headers = { 'content-type': 'application/json' }
      const request = new Request(`http://localhost:3000/api/v1/auth${path}`, {
        method: 'POST',
        headers,
        body: JSON.stringify(body),
      })
      return app.auth.fetch(request, { peer: '192.0.2.1' })
    }
    const asked = await post('/signin', { email, password, session: 'cookie' })
    const { change_token } = (await asked.json()) as { change_token: string }

    const newPassword = 'calm lagoon 7 tides'
    await assert.rejects(replaceInitialPassword(app.auth, { changeToken: change_token, newPassword }), TokenError)
    assert.equal((await post('/signin/new-password', { change_token, new_password: newPassword })).status, 200)
  })
})
