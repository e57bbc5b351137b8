import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forEachDatabase, testApp } from '../../test/support/app.ts'
import { createAdministrator } from '../admin/users/create-user.ts'
import { systemActor } from '../kernel/actor.ts'
import type { SessionId } from '../kernel/ids.ts'
import { can } from './authorization.ts'

forEachDatabase('authorization', (engine) => {
  test('an administrator has the permissions of the role, and other users have none', async () => {
    await using app = await testApp({ engine })
    const [ada, bob] = [await app.user(), await app.user()]
    await createAdministrator(app.deps, systemActor('command', 'test'), { email: ada.email })
    const sessions = await Promise.all([ada, bob].map(async (person) => (await app.tokens(person)).session))
    const [administrator, user] = await Promise.all(sessions.map((id) => app.deps.sessionCache.find(id as SessionId)))
    assert.ok(administrator && user)
    assert.deepEqual([can(administrator, 'users.write'), can(user, 'users.write')], [true, false])
  })
})
