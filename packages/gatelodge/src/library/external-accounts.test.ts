import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forEachDatabase } from '../../test/support/app.ts'
import { password } from '../../test/support/auth.ts'
import { ada, foreignApp } from '../../test/support/foreign-app.ts'
import { memoryUsers } from '../../test/support/memory-users.ts'
import { until } from '../../test/support/until.ts'
import { noteFailure, stranger, toIdentifier } from '../domain/claimants.ts'
import { systemActor } from '../kernel/actor.ts'
import { InvalidCredentialsError, isAuthError } from '../kernel/errors.ts'
import type { UserId } from '../kernel/ids.ts'
import { transact } from '../store/unit-of-work.ts'
import { engineOf } from './engine.ts'
import type { UserRepository } from './user-repository.ts'

const newPassword = 'second harbour 53'

forEachDatabase('accounts of a host’s repository, under attack', (engine) => {
  test('a link to a former mailbox opens nothing, also once the address is that of another user', async () => {
    await using app = await foreignApp({ engine })
    const { id } = await app.host.users.create(ada)
    const { api } = app.auth
    const { accessToken } = await api.loginUser({ email: ada.email, password })
    await api.changePassword({ oldPassword: password, newPassword }, { token: accessToken })
    const undo = await app.mailedToken(ada.email)
    const early = (await api.createPasswordResetToken({ email: ada.email })) ?? ''

    app.host.change(id, { email: 'ada@new.example.com' })
    assert.equal((await app.post('/forgot-password', { email: ada.email })).status, 200)
    const late = await app.mailedToken(ada.email)
    await app.host.users.create({ email: ada.email, password: 'quiet harbour 77' })
    for (const token of [early, late])
      assert.equal((await app.post('/reset-password', { token, new_password: 'thieves harbour 9' })).status, 400)
    assert.equal((await app.post('/security/undo', { token: undo })).status, 400)
    assert.equal((await app.post('/signin', { username: 'ada', password: newPassword })).status, 200)

    const { db } = engineOf(app.auth).deps.store
    const users = await db
      .selectFrom('users')
      .select('recovery_since')
      .where('id', '=', id as UserId)
      .execute()
    assert.deepEqual(
      users.map(({ recovery_since }) => recovery_since),
      [null],
    )
  })

  test('a link of an account that the repository has deleted opens nothing', async () => {
    await using app = await foreignApp({ engine })
    const { id } = await app.host.users.create(ada)
    const token = (await app.auth.api.createPasswordResetToken({ email: ada.email })) ?? ''
    app.host.remove(id)
    assert.equal((await app.post('/reset-password', { token, new_password: newPassword })).status, 400)
  })

  test('no session outlives a reset, also of a sign-in that the repository accepted before or during it', async () => {
    const [checked, stored] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    let holds: 'check' | 'store' | undefined
    const host = memoryUsers()
    const users: Partial<UserRepository> = {
      ...host.users,
      async authenticateUser(identifier, given) {
        const user = await host.users.authenticateUser(identifier, given)
        if (holds === 'check') {
          holds = undefined
          await checked.promise
        }
        return user
      },
      async updatePassword(id, given) {
        if (holds === 'store') await stored.promise
        return host.users.updatePassword(id, given)
      },
    }
    await using app = await foreignApp({ engine, users })
    const { api } = app.auth
    await host.users.create(ada)
    const own = await api.loginUser({ email: ada.email, password })

    holds = 'check'
    const before = app.post('/signin', { email: ada.email, password })
    await until(() => holds === undefined)
    holds = 'store'
    const token = (await api.createPasswordResetToken({ email: ada.email })) ?? ''
    const reset = app.post('/reset-password', { token, new_password: newPassword })
    const { db } = engineOf(app.auth).deps.store
    const isEnded = async () => (await db.selectFrom('sessions').select('id').execute()).length === 0
    await until(isEnded)
    const during = await app.post('/signin', { email: ada.email, password })
    assert.equal(during.status, 200) // the repository still accepts it
    stored.resolve()
    assert.equal((await reset).status, 200)
    checked.resolve()
    assert.equal((await before).status, 401)
    for (const bearer of [own.accessToken, String(during.json.access_token)])
      await assert.rejects(api.getLoggedInUser(bearer), isAuthError)
    assert.equal(await isEnded(), true)
    assert.equal((await app.post('/signin', { email: ada.email, password: newPassword })).status, 200)
  })

  test('failures at names without an account do not lock out one that never signed in here', async () => {
    await using app = await foreignApp({ engine })
    await app.host.users.create(ada)
    const { deps } = engineOf(app.auth)
    const actor = systemActor('library', 'test')
    await transact(deps, actor, async (work) => {
      const unknown = stranger(actor, undefined, toIdentifier(ada.email)) // the counter that other names share
      for (let failure = 0; failure < 100; failure += 1) await noteFailure(deps, work, unknown)
    })
    assert.equal((await app.post('/signin', { email: ada.email, password })).status, 200)
  })

  test('a repository that reports a wrong password as an error has it counted like any other', async () => {
    const host = memoryUsers()
    const authenticateUser: UserRepository['authenticateUser'] = async (identifier, given) => {
      const user = await host.users.authenticateUser(identifier, given)
      if (!user) throw new InvalidCredentialsError()
      return user
    }
    await using app = await foreignApp({ engine, users: { ...host.users, authenticateUser } })
    await host.users.create(ada)
    assert.equal((await app.post('/signin', { email: ada.email, password: 'wrong' })).status, 401)
    const { db } = engineOf(app.auth).deps.store
    const failed = await db.selectFrom('events').select('name').where('name', '=', 'signin.failed').execute()
    assert.equal(failed.length, 1)
  })
})
