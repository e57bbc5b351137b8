import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KyselyPlugin } from 'kysely'
import { forEachDatabase, type TestApp, testApp } from '../../../test/support/app.ts'
import { systemActor } from '../../kernel/actor.ts'
import { createAccount, createAdministrator } from './create-user.ts'
import { findUsers, getUserNamed } from './find-users.ts'

const actor = systemActor('command', 'test')
const password = 'quiet harbour 52'

function addUser(app: TestApp, name: string) {
  app.clock.advance(1_000)
  return createAccount(app.deps, actor, { email: `${name}@example.com`, username: name, password })
}

/** What a search finds, and by how many statements. */
async function search(app: TestApp, input: { search?: string; limit: number }) {
  let statements = 0
  const counting: KyselyPlugin = {
    transformQuery({ node }) {
      statements += 1
      return node
    },
    transformResult: async ({ result }) => result,
  }
  const { store } = app.deps
  const counted = { ...app.deps, store: { ...store, db: store.migrationDb.withPlugin(counting) } }
  return { ...(await findUsers(counted, actor, input)), statements }
}

forEachDatabase('search for accounts', (engine) => {
  test('a page of accounts costs the same two statements, however many it holds', async () => {
    await using app = await testApp({ engine })
    await addUser(app, 'ada')
    const one = await search(app, { limit: 50 })
    for (let index = 0; index < 20; index += 1) await addUser(app, `user${index}`)
    const many = await search(app, { limit: 50 })
    assert.deepEqual([one.users.length, many.users.length], [1, 21])
    assert.deepEqual([one.statements, many.statements], [2, 2])
  })

  test('each account of a page has its own profile and roles, the newest first', async () => {
    await using app = await testApp({ engine })
    for (const name of ['ada', 'eve', 'bob']) await addUser(app, name)
    app.clock.advance(1_000)
    await createAdministrator(app.deps, actor, { email: 'root@example.com', password })
    const { users, more } = await search(app, { limit: 3 })
    assert.deepEqual(
      users.map(({ email, roles }) => [email, ...roles]),
      [['root@example.com', 'administrator'], ['bob@example.com'], ['eve@example.com']],
    )
    assert.equal(more, true)
    for (const user of users) assert.deepEqual(user, await getUserNamed(app.deps, actor, user.id))
    assert.deepEqual(
      (await search(app, { search: 'ADA', limit: 3 })).users.map(({ username }) => username),
      ['ada'],
    )
    assert.deepEqual((await search(app, { search: 'unknown', limit: 3 })).users, [])
  })
})
