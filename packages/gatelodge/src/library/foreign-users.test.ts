import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { forEachDatabase } from '../../test/support/app.ts'
import { inParallel, tally } from '../../test/support/attack.ts'
import { password, testAuth } from '../../test/support/auth.ts'
import { ada, foreignApp } from '../../test/support/foreign-app.ts'
import { memoryUsers } from '../../test/support/memory-users.ts'
import { createAdministrator } from '../admin/users/create-user.ts'
import { noteFailure, stranger } from '../domain/claimants.ts'
import { findUserByEmail } from '../domain/users.ts'
import type { Route } from '../http/route.ts'
import { systemActor } from '../kernel/actor.ts'
import {
  AuthServiceUnavailable,
  InvalidCredentialsError,
  InvalidToken,
  isAuthError,
  MissingFieldError,
  TokenError,
  UserAlreadyExistsError,
  UserNotFound,
} from '../kernel/errors.ts'
import { pages, routes } from '../routes.ts'
import { transact } from '../store/unit-of-work.ts'
import { engineOf } from './engine.ts'
import type { RepositoryUser } from './user-repository.ts'

const newPassword = 'second harbour 53'

forEachDatabase('a user repository of the host’s own', (engine) => {
  test('an account that signs in for the first time in several places at once has one copy and a session each', async () => {
    await using app = await foreignApp({ engine })
    await app.host.users.create(ada)
    const told = await inParallel(8, () => app.post('/signin', { email: ada.email, password }))
    assert.deepEqual(tally(told.map(({ status }) => status)), { 200: 8 })
    const { db } = engineOf(app.auth).deps.store
    assert.equal((await db.selectFrom('users').select('id').execute()).length, 1)
    assert.equal((await db.selectFrom('sessions').select('id').execute()).length, 8)
  })

  test('registerUser makes the account in the host’s repository and signs it in under the same id', async () => {
    await using app = await foreignApp({ engine })
    const result = await app.auth.api.registerUser(ada)
    assert.equal(result.status, 'signed_in')
    assert.equal((await app.host.users.getByEmail(ada.email))?.id, result.user.id)
    const user = await app.auth.api.getCurrentUser(result.accessToken)
    assert.deepEqual([user.id, user.fullname, user.emailVerified], [result.user.id, 'Ada Lovelace', false])
    await assert.rejects(app.auth.api.registerUser(ada), UserAlreadyExistsError)
  })

  test('an account that lives in the host’s repository signs in, by the library and over HTTP', async () => {
    await using app = await foreignApp({ engine })
    const { id } = await app.host.users.create(ada)
    assert.equal((await app.auth.api.loginUser({ username: 'ADA', password })).user.id, id)
    const told = await app.post('/signin', { email: ada.email, password })
    assert.equal(told.status, 200)
    assert.equal((await app.auth.api.getLoggedInUser(String(told.json.access_token))).id, id)
  })

  test('wrong and unknown are refused alike, by the library and over HTTP, and counted together', async () => {
    await using app = await foreignApp({ engine })
    await app.auth.api.registerUser(ada)
    const { loginUser } = app.auth.api
    for (const email of [ada.email, 'nobody@example.com']) {
      await assert.rejects(loginUser({ email, password: 'wrong' }), InvalidCredentialsError)
      const told = await app.post('/signin', { email, password: 'wrong' })
      assert.deepEqual([told.status, told.json.code], [401, 'invalid_credentials'])
    }
    await assert.rejects(loginUser({ password }), MissingFieldError)
    for (let failed = 2; failed < 10; failed += 1) {
      await assert.rejects(loginUser({ email: ada.email, password: 'wrong' }), InvalidCredentialsError)
    }
    await assert.rejects(loginUser({ email: ada.email, password }), (error) => isAuthError(error, 'rate_limited'))
  })

  test('a hundred failures in a row stop the password, though it is right', async () => {
    await using app = await foreignApp({ engine })
    const result = await app.auth.api.registerUser(ada)
    assert.equal(result.status, 'signed_in')
    const { deps } = engineOf(app.auth)
    const copy = await findUserByEmail(deps.store.db, ada.email)
    const actor = systemActor('library', 'test')
    await transact(deps, actor, async (work) => {
      for (let failure = 0; failure < 100; failure += 1) await noteFailure(deps, work, stranger(actor, copy))
    })
    await assert.rejects(app.auth.api.loginUser({ email: ada.email, password }), InvalidCredentialsError)
  })

  test('sign-up over HTTP makes the account in the host’s repository', async () => {
    await using app = await foreignApp({ engine })
    const told = await app.post('/signup', { email: ada.email, password, fullname: 'Ada Lovelace' })
    assert.equal(told.status, 201)
    assert.equal((await app.host.users.getByEmail(ada.email))?.lastName, 'Lovelace')
  })

  test('outside mode instant only an administrator registers, and the account waits for its proof', async () => {
    await using app = await foreignApp({ engine, registration: 'admin' })
    const isClosed = (error: unknown) => isAuthError(error, 'registration_closed')
    await assert.rejects(app.auth.api.registerUser(ada), isClosed)
    assert.equal((await app.post('/signup', { email: ada.email, password })).json.code, 'registration_closed')

    const root = await app.host.users.create({ email: 'root@example.com', password })
    app.host.change(root.id, { emailVerified: true })
    const { accessToken: token } = await app.auth.api.loginUser({ email: 'root@example.com', password })
    await createAdministrator(engineOf(app.auth).deps, systemActor('command', 'test'), { email: 'root@example.com' })
    const result = await app.auth.api.registerUser(ada, { token })
    assert.equal(result.status, 'created')
    const isUnverified = (error: unknown) => isAuthError(error, 'email_unverified')
    await assert.rejects(app.auth.api.loginUser({ email: ada.email, password }), isUnverified)

    app.host.change(result.user.id, { emailVerified: true })
    assert.equal((await app.auth.api.loginUser({ email: ada.email, password })).user.id, result.user.id)
  })

  test('a reset and a change of password reach the host’s repository, by the library and over HTTP', async () => {
    await using app = await foreignApp({ engine })
    const { id } = await app.host.users.create(ada)
    const { api } = app.auth
    const isPassword = async (text: string) => (await app.host.users.authenticateUser('ada', text))?.id === id

    const token = (await api.createPasswordResetToken({ email: ada.email })) ?? ''
    await api.resetPassword({ token, newPassword })
    assert.equal(await isPassword(newPassword), true)

    const { accessToken } = await api.loginUser({ email: ada.email, password: newPassword })
    await api.changePassword({ oldPassword: newPassword, newPassword: 'third harbour 54' }, { token: accessToken })
    assert.equal(await isPassword('third harbour 54'), true)

    const change = { old_password: 'third harbour 54', new_password: 'fourth harbour 55' }
    assert.equal((await app.post('/change-password', change, accessToken)).status, 200)
    assert.equal(await isPassword('fourth harbour 55'), true)

    assert.equal((await app.post('/forgot-password', { email: ada.email })).status, 200)
    const mailed = await app.mailedToken(ada.email)
    const reset = { token: mailed, new_password: 'fifth harbour 56' }
    assert.equal((await app.post('/reset-password', reset)).status, 200)
    assert.equal(await isPassword('fifth harbour 56'), true)
    assert.equal((await app.post('/reset-password', reset)).status, 400)
  })

  test('a password that the host changed itself is the one that signs in', async () => {
    await using app = await foreignApp({ engine })
    const result = await app.auth.api.registerUser(ada)
    assert.equal(result.status, 'signed_in')
    await app.host.users.updatePassword(result.user.id, newPassword)
    await assert.rejects(app.auth.api.loginUser({ username: 'ada', password }), InvalidCredentialsError)
    assert.equal((await app.post('/signin', { username: 'ada', password })).status, 401)
    assert.equal((await app.auth.api.loginUser({ username: 'ada', password: newPassword })).user.id, result.user.id)
  })

  test('a password that the host replaced changes nothing any more, though its session lives', async () => {
    await using app = await foreignApp({ engine })
    const result = await app.auth.api.registerUser(ada)
    assert.equal(result.status, 'signed_in')
    await app.host.users.updatePassword(result.user.id, newPassword)
    const isIncorrect = (error: unknown) => isAuthError(error, 'incorrect_password')
    const caller = { token: result.accessToken }
    const attack = app.auth.api.changePassword({ oldPassword: password, newPassword: 'third harbour 54' }, caller)
    await assert.rejects(attack, isIncorrect)
    const body = { old_password: password, new_password: 'third harbour 54' }
    assert.equal((await app.post('/change-password', body, result.accessToken)).json.code, 'incorrect_password')
    assert.equal((await app.post('/reauthenticate', { password }, result.accessToken)).status, 400)
    assert.equal((await app.post('/reauthenticate', { password: newPassword }, result.accessToken)).status, 200)
  })

  test('a deactivation in the host’s repository ends the sessions once a token is looked at', async () => {
    await using app = await foreignApp({ engine })
    const result = await app.auth.api.registerUser(ada)
    assert.equal(result.status, 'signed_in')
    app.host.change(result.user.id, { isActive: false })
    await assert.rejects(app.auth.api.getLoggedInUser(result.accessToken), InvalidToken)
    await assert.rejects(app.auth.api.refreshToken(result.refreshToken), isTokenInvalid)
    await assert.rejects(app.auth.api.loginUser({ username: 'ada', password }), InvalidCredentialsError)
  })

  test('a deactivation in the host’s repository revokes API tokens for good, once it is seen', async () => {
    await using app = await foreignApp({ engine })
    const result = await app.auth.api.registerUser(ada)
    assert.equal(result.status, 'signed_in')
    const made = await app.post('/me/tokens', { name: 'script' }, result.accessToken)
    const request = new Request('http://localhost:3000/api/v1/auth/session', {
      headers: { authorization: `Bearer ${made.json['token']}` },
    })
    const status = async () => (await app.auth.fetch(request, { peer: '192.0.2.1' })).status
    assert.equal(await status(), 200)
    app.host.change(result.user.id, { isActive: false })
    await assert.rejects(app.auth.api.getLoggedInUser(result.accessToken), InvalidToken)
    app.host.change(result.user.id, { isActive: true })
    await app.auth.api.loginUser({ username: 'ada', password })
    assert.equal(await status(), 401)
  })

  test('a deactivation or removal in the host’s repository stops the refresh of tokens', async () => {
    await using app = await foreignApp({ engine })
    const stopped = await app.auth.api.registerUser(ada)
    const removed = await app.auth.api.registerUser({ email: 'bo@example.com', password })
    assert.ok(stopped.status === 'signed_in' && removed.status === 'signed_in')
    app.host.change(stopped.user.id, { isActive: false })
    app.host.remove(removed.user.id)
    await assert.rejects(app.auth.api.refreshToken(stopped.refreshToken), TokenError)
    await assert.rejects(app.auth.api.refreshToken(removed.refreshToken), TokenError)
  })

  test('after a user is removed from the host’s repository, their tokens no longer name a user', async () => {
    await using app = await foreignApp({ engine })
    const result = await app.auth.api.registerUser(ada)
    assert.equal(result.status, 'signed_in')
    app.host.remove(result.user.id)
    await assert.rejects(app.auth.api.getLoggedInUser(result.accessToken), UserNotFound)
    assert.equal((await app.auth.api.introspectToken(result.accessToken)).reason, 'user_not_found')
  })

  test('address and username follow the host’s repository, even when it gives them to another user', async () => {
    await using app = await foreignApp({ engine })
    const first = await app.auth.api.registerUser(ada)
    assert.equal(first.status, 'signed_in')
    app.host.change(first.user.id, { email: 'ada@new.example.com', username: null })
    const second = await app.auth.api.registerUser(ada)
    assert.equal(second.status, 'signed_in')

    assert.notEqual(second.user.id, first.user.id)
    assert.deepEqual(await app.auth.api.getLoggedInUser(second.accessToken), second.user)
    const moved = await app.auth.api.getLoggedInUser(first.accessToken)
    assert.deepEqual([moved.id, moved.email, moved.username], [first.user.id, 'ada@new.example.com', null])
  })

  test('createAccessToken knows accounts that were never here', async () => {
    await using app = await foreignApp({ engine })
    const { id } = await app.host.users.create(ada)
    const token = await app.auth.api.createAccessToken({ sub: id })
    assert.equal((await app.auth.api.getLoggedInUser(token)).id, id)
    await assert.rejects(app.auth.api.createAccessToken({ sub: randomUUID() }), UserNotFound)
    app.host.remove(id)
    await assert.rejects(app.auth.api.createAccessToken({ sub: id }), UserNotFound)
  })

  test('a repository that fails or answers nonsense is AuthServiceUnavailable, and nothing is stored', async () => {
    const failing = async () => {
      throw new Error('connection refused')
    }
    await using down = await foreignApp({ engine, users: { authenticateUser: failing, create: failing } })
    await assert.rejects(down.auth.api.loginUser({ username: 'ada', password }), AuthServiceUnavailable)
    await assert.rejects(down.auth.api.registerUser(ada), AuthServiceUnavailable)
    assert.equal((await down.post('/signin', { username: 'ada', password })).status, 503)

    const parts = [
      { id: '7' },
      { email: 'ADA@example.com' },
      { username: 'A@da' },
      { email: undefined },
      { emailVerified: 'no' },
    ]
    for (const part of parts) {
      const user = { ...ada, id: randomUUID(), emailVerified: true, isActive: true, ...part } as RepositoryUser
      await using odd = await foreignApp({ engine, users: { authenticateUser: async () => user } })
      await assert.rejects(odd.auth.api.loginUser({ username: 'ada', password }), AuthServiceUnavailable)
      assert.deepEqual(await odd.auth.api.getUserRepository().getActiveUsers(), [])
    }
  })

  test('what the repository has no word for is not offered', async () => {
    await using app = await foreignApp({ engine })
    const result = await app.auth.api.registerUser(ada)
    assert.equal(result.status, 'signed_in')
    const { api } = app.auth
    const caller = { token: result.accessToken }
    for (const call of [
      api.verifyEmail({ token: 'x' }),
      api.resendVerification({ email: ada.email }),
      api.requestEmailChange({ newEmail: 'bo@example.com', password }, caller),
      api.confirmEmailChange({ token: 'x' }),
      api.undoEmailChange({ token: 'x' }),
      api.deleteOwnAccount({ password }, caller),
    ]) {
      await assert.rejects(call, (error) => isAuthError(error, 'not_found'))
    }
    await assert.rejects(api.updateProfile({ username: 'bob' }, caller), (error) => isAuthError(error, 'input_invalid'))
    assert.equal((await api.updateProfile({ firstName: 'Augusta' }, caller)).firstName, 'Augusta')

    for (const path of ['/verify-email', '/verify-email/resend', '/change-email', '/change-email/confirm']) {
      assert.equal((await app.post(path, {}, result.accessToken)).status, 404, path)
    }
    assert.equal((await app.post('/me', { username: 'bob' }, result.accessToken)).status, 400)
    assert.equal((await app.post('/me', { first_name: 'Ada' }, result.accessToken)).status, 200)
  })

  test('over HTTP every other route is served, and pages and what the repository owns are not', async () => {
    await using app = await foreignApp({ engine })
    const signedUp = await app.auth.api.registerUser(ada)
    assert.equal(signedUp.status, 'signed_in')
    const ask = async (method: string, path: string) => {
      const request = new Request(`http://localhost:3000${path.replace(/:\w+/g, 'x')}`, {
        method,
        headers: { authorization: `Bearer ${signedUp.accessToken}` },
      })
      return (await app.auth.fetch(request, { peer: '192.0.2.1' })).status
    }
    const isServed = async ({ method, path }: Route) =>
      (await ask('REPORT', path)) !== 404 && (await ask(method, path)) !== 405
    const missing: string[] = []
    for (const route of [...routes, ...pages]) {
      if (route.surface === 'page') assert.equal(await ask('REPORT', route.path), 404, route.path)
      else if (!(await isServed(route))) missing.push(`${route.method} ${route.path}`)
    }
    assert.deepEqual(
      missing,
      [
        'GET /username-available',
        'POST /verify-email',
        'GET /verify-email',
        'POST /verify-email/resend',
        'POST /signin/new-password',
        'POST /change-email',
        'POST /change-email/confirm',
        'POST /change-email/undo',
        'DELETE /me',
      ].map((name) => name.replace(' ', ' /api/v1/auth')),
    )
  })

  test('the repository is asked by the identifier as it was typed, and failures at all of its forms are counted together', async () => {
    const asked: string[] = []
    const authenticateUser = async (identifier: string) => {
      asked.push(identifier)
      return null
    }
    await using app = await foreignApp({ engine, users: { authenticateUser } })
    const forms = [{ email: 'Ada@Example.com' }, { identifier: 'ADA@example.com' }, { username: 'ada@EXAMPLE.com' }]
    for (let failed = 0; failed < 10; failed += 1) {
      const told = await app.post('/signin', { ...forms[failed % 3], password })
      assert.equal(told.json.code, 'invalid_credentials')
    }
    for (const form of forms) assert.equal((await app.post('/signin', { ...form, password })).status, 429)
    assert.deepEqual(asked.slice(0, 3), ['Ada@Example.com', 'ADA@example.com', 'ada@EXAMPLE.com'])
    assert.equal(asked.length, 10)
  })

  test('a new password that the repository refuses is not passed on, and the failure is told', async () => {
    const updatePassword = async () => {
      throw new Error('connection refused')
    }
    await using app = await foreignApp({ engine, users: { updatePassword } })
    const result = await app.auth.api.registerUser(ada)
    assert.equal(result.status, 'signed_in')
    const change = { old_password: password, new_password: newPassword }
    assert.equal((await app.post('/change-password', change, result.accessToken)).status, 503)
    const token = (await app.auth.api.createPasswordResetToken({ email: ada.email })) ?? ''
    assert.equal((await app.post('/reset-password', { token, new_password: newPassword })).status, 503)
    assert.equal((await app.auth.api.loginUser({ email: ada.email, password })).user.id, result.user.id)
  })

  test('a sign-up over HTTP answers tokens and sets no cookie of a sign-up that waits', async () => {
    await using app = await foreignApp({ engine })
    const request = new Request('http://localhost:3000/api/v1/auth/signup', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ email: ada.email, password }),
    })
    const response = await app.auth.fetch(request, { peer: '192.0.2.1' })
    assert.equal(response.status, 201)
    assert.deepEqual(
      response.headers.getSetCookie().map((cookie) => cookie.split('=', 1)[0]),
      ['gatelodge-device'],
    )
    assert.equal(typeof ((await response.json()) as { access_token?: unknown }).access_token, 'string')
  })
})

test('a repository and sign-ups that wait for a link do not go together', async () => {
  const { users } = memoryUsers()
  await assert.rejects(testAuth({ engine: 'sqlite', users }), (error) => isAuthError(error, 'config_invalid'))
})

function isTokenInvalid(error: unknown): boolean {
  return isAuthError(error, 'token_invalid')
}
