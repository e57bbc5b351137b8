import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { forEachDatabase } from '../../test/support/app.ts'
import { password, signUp, type TestAuth, testAuth } from '../../test/support/auth.ts'
import { setActive } from '../admin/users/set-active.ts'
import { systemActor } from '../kernel/actor.ts'
import { hour } from '../kernel/clock.ts'
import {
  AuthError,
  InvalidAuthorizationHeader,
  InvalidToken,
  isAuthError,
  NotAuthenticated,
  SessionValidationError,
  TokenError,
  UserNotFound,
} from '../kernel/errors.ts'
import { engineOf } from './engine.ts'
import { deleteOwnAccount } from './own-account.ts'
import { logoutUser } from './sign-in.ts'
import {
  createAccessToken,
  getCurrentUser,
  getJwtPayload,
  getLoggedInUser,
  getToken,
  getValidatedTokenPayload,
  introspectToken,
  validateToken,
} from './tokens.ts'

test('getToken reads the token of a bearer header, however the scheme is written', () => {
  assert.equal(getToken('Bearer abc.def'), 'abc.def')
  assert.equal(getToken('bearer abc.def'), 'abc.def')
})

test('getToken raises InvalidAuthorizationHeader for every other header', () => {
  for (const header of [
    undefined,
    null,
    '',
    'Bearer',
    'Bearer ',
    'Basic abc',
    'abc.def',
    'Bearer a b',
    'xBearer abc',
  ]) {
    assert.throws(() => getToken(header), InvalidAuthorizationHeader)
  }
})

forEachDatabase('tokens by the library', (engine) => {
  // One for all tests: each has people of its own.
  let app: TestAuth
  before(async () => {
    app = await testAuth({ engine, settings: { registration: 'instant' } })
  })
  after(() => app[Symbol.asyncDispose]())

  test('validateToken names the user and the end of a token', async () => {
    const ada = await signUp(app)
    const { exp, ...rest } = await validateToken(app.auth, ada.token)
    assert.deepEqual(rest, { username: ada.username, fullname: 'Ada Lovelace', sub: ada.id })
    assert.equal(exp, app.clock.now() / 1000 + 900)
  })

  test('validateToken raises TokenError for garbage, an expired and a revoked token', async () => {
    const ada = await signUp(app)
    await assert.rejects(validateToken(app.auth, 'garbage'), TokenError)
    const other = await createAccessToken(app.auth, { sub: ada.id })
    await logoutUser(app.auth, other)
    await assert.rejects(validateToken(app.auth, other), TokenError)
    app.clock.advance(hour)
    await assert.rejects(validateToken(app.auth, ada.token), TokenError)
  })

  test('validateToken raises TokenError for a genuine token without its user', async () => {
    const ada = await signUp(app)
    await deleteOwnAccount(app.auth, { password }, { token: ada.token })
    await assert.rejects(validateToken(app.auth, ada.token), TokenError)
  })

  test('getLoggedInUser gives the public user and nothing else', async () => {
    const ada = await signUp(app)
    const user = await getLoggedInUser(app.auth, ada.token)
    assert.deepEqual(user, { id: ada.id, username: ada.username, email: ada.email, isActive: true })
  })

  test('getLoggedInUser raises InvalidToken, and UserNotFound for a genuine token without its user', async () => {
    const ada = await signUp(app)
    await assert.rejects(getLoggedInUser(app.auth, ''), InvalidToken)
    await assert.rejects(getLoggedInUser(app.auth, 7 as unknown as string), InvalidToken)
    await deleteOwnAccount(app.auth, { password }, { token: ada.token })
    await assert.rejects(getLoggedInUser(app.auth, ada.token), UserNotFound)
  })

  test('getLoggedInUser raises InvalidToken once the account is inactive', async () => {
    const ada = await signUp(app)
    await setActive(engineOf(app.auth).deps, systemActor('command', 'test'), { who: ada.id, active: false })
    await assert.rejects(getLoggedInUser(app.auth, ada.token), InvalidToken)
  })

  test('getCurrentUser gives the whole account with profile and roles', async () => {
    const ada = await signUp(app)
    const user = await getCurrentUser(app.auth, ada.token)
    assert.deepEqual([user.id, user.lastName, user.roles, user.profile.website], [ada.id, 'Lovelace', [], null])
  })

  test('getCurrentUser raises NotAuthenticated without a token, InvalidToken for a bad one, UserNotFound without its user', async () => {
    const ada = await signUp(app)
    await assert.rejects(getCurrentUser(app.auth, undefined), NotAuthenticated)
    await assert.rejects(getCurrentUser(app.auth, null), NotAuthenticated)
    await assert.rejects(getCurrentUser(app.auth, 'garbage'), InvalidToken)
    await deleteOwnAccount(app.auth, { password }, { token: ada.token })
    await assert.rejects(getCurrentUser(app.auth, ada.token), UserNotFound)
  })

  test('introspectToken tells an active token, a bad one and one without its user apart, and never raises', async () => {
    const ada = await signUp(app)
    const active = await introspectToken(app.auth, ada.token)
    assert.deepEqual([active.active, active.user?.username, active.reason], [true, ada.username, null])

    const bad = { active: false, user: null, reason: 'token_invalid' }
    for (const token of ['', 'garbage', undefined as unknown as string]) {
      assert.deepEqual(await introspectToken(app.auth, token), bad)
    }
    await deleteOwnAccount(app.auth, { password }, { token: ada.token })
    const gone = { active: false, user: null, reason: 'user_not_found' }
    assert.deepEqual(await introspectToken(app.auth, ada.token), gone)
  })

  test('introspectToken answers service_unavailable when the database is gone, and logs it', async () => {
    const app = await testAuth({ engine, settings: { registration: 'instant' } })
    const { token } = await signUp(app)
    await app.auth.close()
    const result = await introspectToken(app.auth, token)
    assert.deepEqual(result, { active: false, user: null, reason: 'service_unavailable' })
    assert.ok(app.logged.some(({ level }) => level === 'error'))
  })

  test('createAccessToken starts a session for an account, which can be revoked', async () => {
    const ada = await signUp(app)
    const token = await createAccessToken(app.auth, { sub: ada.id })
    assert.equal((await getLoggedInUser(app.auth, token)).id, ada.id)
    assert.notEqual((await getJwtPayload(app.auth, token)).sid, (await getJwtPayload(app.auth, ada.token)).sid)
    await logoutUser(app.auth, token)
    await assert.rejects(getLoggedInUser(app.auth, token), InvalidToken)
  })

  test('createAccessToken signs another token for a live session of the account', async () => {
    const ada = await signUp(app)
    const { sid } = await getJwtPayload(app.auth, ada.token)
    const token = await createAccessToken(app.auth, { sub: ada.id, sid })
    assert.equal((await getJwtPayload(app.auth, token)).sid, sid)
  })

  test('createAccessToken raises UserNotFound, SessionValidationError and account_inactive', async () => {
    const ada = await signUp(app)
    const { sid } = await getJwtPayload(app.auth, ada.token)
    await assert.rejects(createAccessToken(app.auth, { sub: 'unknown' }), UserNotFound)
    await assert.rejects(createAccessToken(app.auth, { sub: 'another user', sid }), SessionValidationError)
    await assert.rejects(createAccessToken(app.auth, { sub: ada.id, sid: 'none' }), SessionValidationError)
    await setActive(engineOf(app.auth).deps, systemActor('command', 'test'), { who: ada.id, active: false })
    const isInactive = (error: unknown) => isAuthError(error, 'account_inactive')
    await assert.rejects(createAccessToken(app.auth, { sub: ada.id }), isInactive)
  })

  test('getJwtPayload gives every claim, says nothing of revocation and raises InvalidToken, an AuthError', async () => {
    const ada = await signUp(app)
    const claims = await getJwtPayload(app.auth, ada.token)
    assert.deepEqual([claims.sub, claims.iss, claims.client_id], [ada.id, 'http://localhost:3000', 'gatelodge'])
    await logoutUser(app.auth, ada.token)
    assert.equal((await getJwtPayload(app.auth, ada.token)).sub, ada.id)
    await assert.rejects(
      getJwtPayload(app.auth, 'a.b.c'),
      (error) => error instanceof InvalidToken && error instanceof AuthError,
    )
  })

  test('getValidatedTokenPayload gives subject and expiry only, and refuses a revoked token', async () => {
    const ada = await signUp(app)
    const payload = await getValidatedTokenPayload(app.auth, ada.token)
    assert.deepEqual(payload, { sub: ada.id, exp: app.clock.now() / 1000 + 900 })
    await logoutUser(app.auth, ada.token)
    await assert.rejects(getValidatedTokenPayload(app.auth, ada.token), InvalidToken)
  })
})
