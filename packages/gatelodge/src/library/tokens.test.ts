import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Engine, forEachDatabase } from '../../test/support/app.ts'
import { password, type TestAuth, testAuth } from '../../test/support/auth.ts'
import { setActive } from '../admin/users/set-active.ts'
import { innerActor } from '../kernel/actor.ts'
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
import { logoutUser, registerUser } from './sign-in.ts'
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

async function withAda(engine: Engine): Promise<TestAuth & { token: string; id: string }> {
  const app = await testAuth({ engine, settings: { registration: 'instant' } })
  const request = { email: 'ada@example.com', password, username: 'ada', fullname: 'Ada Lovelace' }
  const result = await registerUser(app.auth, request)
  assert.equal(result.status, 'signed_in')
  return { ...app, token: result.accessToken, id: result.user.id }
}

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
  test('validateToken names the user and the end of a token', async () => {
    await using app = await withAda(engine)
    const { exp, ...rest } = await validateToken(app.auth, app.token)
    assert.deepEqual(rest, { username: 'ada', fullname: 'Ada Lovelace', sub: app.id })
    assert.equal(exp, app.clock.now() / 1000 + 900)
  })

  test('validateToken raises TokenError for garbage, an expired and a revoked token', async () => {
    await using app = await withAda(engine)
    await assert.rejects(validateToken(app.auth, 'garbage'), TokenError)
    const other = await createAccessToken(app.auth, { sub: app.id })
    await logoutUser(app.auth, other)
    await assert.rejects(validateToken(app.auth, other), TokenError)
    app.clock.advance(hour)
    await assert.rejects(validateToken(app.auth, app.token), TokenError)
  })

  test('validateToken raises TokenError for a genuine token without its user', async () => {
    await using app = await withAda(engine)
    await deleteOwnAccount(app.auth, { password }, { token: app.token })
    await assert.rejects(validateToken(app.auth, app.token), TokenError)
  })

  test('getLoggedInUser gives the public user and nothing else', async () => {
    await using app = await withAda(engine)
    const user = await getLoggedInUser(app.auth, app.token)
    assert.deepEqual(user, { id: app.id, username: 'ada', email: 'ada@example.com', isActive: true })
  })

  test('getLoggedInUser raises InvalidToken, and UserNotFound for a genuine token without its user', async () => {
    await using app = await withAda(engine)
    await assert.rejects(getLoggedInUser(app.auth, ''), InvalidToken)
    await assert.rejects(getLoggedInUser(app.auth, 7 as unknown as string), InvalidToken)
    await deleteOwnAccount(app.auth, { password }, { token: app.token })
    await assert.rejects(getLoggedInUser(app.auth, app.token), UserNotFound)
  })

  test('getLoggedInUser raises InvalidToken once the account is inactive', async () => {
    await using app = await withAda(engine)
    await setActive(engineOf(app.auth).deps, innerActor('command', 'test'), { who: app.id, active: false })
    await assert.rejects(getLoggedInUser(app.auth, app.token), InvalidToken)
  })

  test('getCurrentUser gives the whole account with profile and roles', async () => {
    await using app = await withAda(engine)
    const user = await getCurrentUser(app.auth, app.token)
    assert.deepEqual([user.id, user.lastName, user.roles, user.profile.website], [app.id, 'Lovelace', [], null])
  })

  test('getCurrentUser raises NotAuthenticated without a token, InvalidToken for a bad one, UserNotFound without its user', async () => {
    await using app = await withAda(engine)
    await assert.rejects(getCurrentUser(app.auth, undefined), NotAuthenticated)
    await assert.rejects(getCurrentUser(app.auth, null), NotAuthenticated)
    await assert.rejects(getCurrentUser(app.auth, 'garbage'), InvalidToken)
    await deleteOwnAccount(app.auth, { password }, { token: app.token })
    await assert.rejects(getCurrentUser(app.auth, app.token), UserNotFound)
  })

  test('introspectToken tells an active token, a bad one and one without its user apart, and never raises', async () => {
    await using app = await withAda(engine)
    const active = await introspectToken(app.auth, app.token)
    assert.deepEqual([active.active, active.user?.username, active.reason], [true, 'ada', null])

    const bad = { active: false, user: null, reason: 'token_invalid' }
    for (const token of ['', 'garbage', undefined as unknown as string]) {
      assert.deepEqual(await introspectToken(app.auth, token), bad)
    }
    await deleteOwnAccount(app.auth, { password }, { token: app.token })
    const gone = { active: false, user: null, reason: 'user_not_found' }
    assert.deepEqual(await introspectToken(app.auth, app.token), gone)
  })

  test('introspectToken answers service_unavailable when the database is gone, and logs it', async () => {
    const app = await withAda(engine)
    await app.auth.close()
    const result = await introspectToken(app.auth, app.token)
    assert.deepEqual(result, { active: false, user: null, reason: 'service_unavailable' })
    assert.ok(app.logged.some(({ level }) => level === 'error'))
  })

  test('createAccessToken starts a session for an account, which can be revoked', async () => {
    await using app = await withAda(engine)
    const token = await createAccessToken(app.auth, { sub: app.id })
    assert.equal((await getLoggedInUser(app.auth, token)).id, app.id)
    assert.notEqual((await getJwtPayload(app.auth, token)).sid, (await getJwtPayload(app.auth, app.token)).sid)
    await logoutUser(app.auth, token)
    await assert.rejects(getLoggedInUser(app.auth, token), InvalidToken)
  })

  test('createAccessToken signs another token for a live session of the account', async () => {
    await using app = await withAda(engine)
    const { sid } = await getJwtPayload(app.auth, app.token)
    const token = await createAccessToken(app.auth, { sub: app.id, sid })
    assert.equal((await getJwtPayload(app.auth, token)).sid, sid)
  })

  test('createAccessToken raises UserNotFound, SessionValidationError and account_inactive', async () => {
    await using app = await withAda(engine)
    const { sid } = await getJwtPayload(app.auth, app.token)
    await assert.rejects(createAccessToken(app.auth, { sub: 'nobody' }), UserNotFound)
    await assert.rejects(createAccessToken(app.auth, { sub: 'somebody else', sid }), SessionValidationError)
    await assert.rejects(createAccessToken(app.auth, { sub: app.id, sid: 'none' }), SessionValidationError)
    await setActive(engineOf(app.auth).deps, innerActor('command', 'test'), { who: app.id, active: false })
    const isInactive = (error: unknown) => isAuthError(error, 'account_inactive')
    await assert.rejects(createAccessToken(app.auth, { sub: app.id }), isInactive)
  })

  test('getJwtPayload gives every claim, says nothing of revocation and raises InvalidToken, an AuthError', async () => {
    await using app = await withAda(engine)
    const claims = await getJwtPayload(app.auth, app.token)
    assert.deepEqual([claims.sub, claims.iss, claims.client_id], [app.id, 'http://localhost:3000', 'gatelodge'])
    await logoutUser(app.auth, app.token)
    assert.equal((await getJwtPayload(app.auth, app.token)).sub, app.id)
    await assert.rejects(
      getJwtPayload(app.auth, 'a.b.c'),
      (error) => error instanceof InvalidToken && error instanceof AuthError,
    )
  })

  test('getValidatedTokenPayload gives subject and expiry only, and refuses a revoked token', async () => {
    await using app = await withAda(engine)
    const payload = await getValidatedTokenPayload(app.auth, app.token)
    assert.deepEqual(payload, { sub: app.id, exp: app.clock.now() / 1000 + 900 })
    await logoutUser(app.auth, app.token)
    await assert.rejects(getValidatedTokenPayload(app.auth, app.token), InvalidToken)
  })
})
