import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forEachDatabase, testApp } from '../../test/support/app.ts'
import { deleteAccount } from '../admin/users/delete-user.ts'
import { getUserNamed } from '../admin/users/find-users.ts'
import { systemActor } from '../kernel/actor.ts'
import { isAuthError } from '../kernel/errors.ts'
import type { UserId } from '../kernel/ids.ts'
import { findWholeUser, getUser, loadUser } from './users.ts'

const actor = systemActor('command', 'test')

forEachDatabase('accounts', (engine) => {
  test('an account deleted after its row was read is reported as gone', async () => {
    await using app = await testApp({ engine })
    const { id } = await app.user()
    const { db } = app.deps.store
    const row = await getUser(db, id as UserId)
    assert.equal((await loadUser(db, row)).id, id)
    await deleteAccount(app.deps, actor, { who: id })
    assert.equal(await findWholeUser(db, row), undefined)
    await assert.rejects(loadUser(db, row), (error) => isAuthError(error, 'token_invalid'))
  })

  test('when two administrators delete one account at the same time, one learns that it is gone', async () => {
    await using app = await testApp({ engine })
    const { id } = await app.user()
    const told = await Promise.allSettled([1, 2].map(() => deleteAccount(app.deps, actor, { who: id })))
    const refused = told.filter(({ status }) => status === 'rejected').map((outcome) => Reflect.get(outcome, 'reason'))
    assert.equal(refused.length, 1)
    assert.ok(isAuthError(refused[0], 'user_not_found'))
    assert.equal((await app.events()).filter((name) => name === 'user.deleted').length, 1)
    await assert.rejects(getUserNamed(app.deps, actor, id), (error) => isAuthError(error, 'user_not_found'))
  })
})
