import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Engine, forEachDatabase } from '../../test/support/app.ts'
import { testAuth } from '../../test/support/auth.ts'
import { memoryUsers } from '../../test/support/memory-users.ts'
import { setActive } from '../admin/users/set-active.ts'
import { insertApiToken } from '../domain/api-tokens.ts'
import { systemActor } from '../kernel/actor.ts'
import { isAuthError, MissingFieldError, UserAlreadyExistsError, UserNotFound } from '../kernel/errors.ts'
import type { UserId } from '../kernel/ids.ts'
import { transact } from '../store/unit-of-work.ts'
import { getUserRepository } from './addresses.ts'
import { engineOf } from './engine.ts'
import { loginUser } from './sign-in.ts'
import { getLoggedInUser } from './tokens.ts'
import { type RepositoryUnderTest, userRepositoryContract } from './user-repository-contract.ts'

const password = 'quiet harbour 52'
const ada = { email: 'ada@example.com', password, username: 'ada' }

async function overSql(engine: Engine): Promise<RepositoryUnderTest> {
  const app = await testAuth({ engine })
  const { auth } = app
  return {
    users: getUserRepository(auth),
    async deactivate(id) {
      await setActive(engineOf(auth).deps, systemActor('command', 'test'), { who: id, active: false })
    },
    close: async () => app[Symbol.asyncDispose](),
  }
}

describe('the user repository contract (memory)', () => {
  for (const { name, run } of userRepositoryContract(async () => memoryUsers())) test(name, run)
})

test('the contract finds a repository that keeps the old password', async () => {
  const make = async () => {
    const { users, deactivate } = memoryUsers()
    return { users: { ...users, updatePassword: async () => {} }, deactivate }
  }
  const check = userRepositoryContract(make).find(({ name }) => name.startsWith('a new password works'))
  await assert.rejects(check?.run() ?? Promise.resolve())
})

forEachDatabase('the SQL user repository', (engine) => {
  for (const { name, run } of userRepositoryContract(() => overSql(engine))) test(name, run)

  test('the SQL repository raises the named errors', async () => {
    await using app = await testAuth({ engine })
    const users = getUserRepository(app.auth)
    await users.create(ada)
    await assert.rejects(users.create(ada), UserAlreadyExistsError)
    await assert.rejects(users.create({ email: 'bo@example.com' } as typeof ada), MissingFieldError)
    await assert.rejects(users.updatePassword('no id', password), UserNotFound)
  })

  test('an account that the SQL repository makes is mailed a link and signs in once its address is proved', async () => {
    await using app = await testAuth({ engine })
    const { id, emailVerified } = await getUserRepository(app.auth).create(ada)
    assert.equal(emailVerified, false)
    await assert.rejects(loginUser(app.auth, { email: ada.email, password }), (error) =>
      isAuthError(error, 'email_unverified'),
    )

    const token = await app.mailedToken(ada.email)
    assert.equal((await app.auth.api.verifyEmail({ token, password })).id, id)
    assert.equal((await loginUser(app.auth, { email: ada.email, password })).user.id, id)
  })

  test('a password set by the SQL repository obeys the policy, ends every session and API token and is told to its owner', async () => {
    await using app = await testAuth({ engine, settings: { registration: 'instant' } })
    const signedUp = await app.auth.api.registerUser(ada)
    assert.equal(signedUp.status, 'signed_in')
    const users = getUserRepository(app.auth)
    const user = await users.getByEmail(ada.email)

    await assert.rejects(users.updatePassword(user?.id ?? '', 'password'), (error) =>
      isAuthError(error, 'input_invalid'),
    )
    const { deps } = engineOf(app.auth)
    const expiresAt = deps.clock.now() + 60_000
    const actor = systemActor('command', 'test')
    await transact(deps, actor, (work) =>
      insertApiToken(work, signedUp.user.id as UserId, { name: 'x', scopes: [], expiresAt }),
    )
    await users.updatePassword(user?.id ?? '', 'second harbour 53')
    assert.deepEqual(await deps.store.db.selectFrom('api_tokens').selectAll().execute(), [])
    await assert.rejects(getLoggedInUser(app.auth, signedUp.accessToken), (error) =>
      isAuthError(error, 'token_invalid'),
    )
    assert.ok((await app.mails(ada.email)).some(({ kind }) => kind === 'password_changed'))
  })

  test('failures at the SQL repository and at sign-in are counted together', async () => {
    await using app = await testAuth({ engine })
    const users = getUserRepository(app.auth)
    for (let failed = 0; failed < 10; failed += 1) assert.equal(await users.authenticateUser('ada', 'wrong'), null)
    const isLimited = (error: unknown) => isAuthError(error, 'rate_limited')
    await assert.rejects(users.authenticateUser('ada', password), isLimited)
    await assert.rejects(loginUser(app.auth, { username: 'ada', password }), isLimited)
  })
})
