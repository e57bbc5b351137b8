import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createAccount, createAdministrator } from '../../src/admin/users/create-user.ts'
import { deleteAccount } from '../../src/admin/users/delete-user.ts'
import { setActive } from '../../src/admin/users/set-active.ts'
import { deactivateUser, deleteUser, lockForDeletion } from '../../src/domain/account-removal.ts'
import { lockForRemoval } from '../../src/domain/administrators.ts'
import { systemActor } from '../../src/kernel/actor.ts'
import { isAuthError } from '../../src/kernel/errors.ts'
import type { UserId } from '../../src/kernel/ids.ts'
import type { Auth } from '../../src/library/auth.ts'
import { engineOf } from '../../src/library/engine.ts'
import { transact, type Work } from '../../src/store/unit-of-work.ts'
import { type Engine, forEachDatabase } from '../support/app.ts'
import { inParallel, tally } from '../support/attack.ts'
import { type TestAuth, testAuth } from '../support/auth.ts'

const password = 'quiet harbour 52'
const actor = systemActor('command', 'test')

forEachDatabase('43 last administrator', (engine) => {
  test('fifty administrators who delete themselves at once: one is left, and was told so', async () => {
    await using house = await houseOf(engine, 50)
    const told = await Promise.all(house.administrators.map((who) => ways.leave(house.auth, who)))
    assert.deepEqual(tally(told), { 204: 49, last_administrator: 1 })
    await assertOneIsLeft(house.auth)
  })

  test('of fifty administrators who are deleted, deactivated and demoted concurrently in every way, one is left', async () => {
    await using house = await houseOf(engine, 50)
    const all = Object.values(ways)
    const told = await Promise.all(
      house.administrators.map((who, index) => (all[index % all.length] as Way)(house.auth, who)),
    )
    assert.deepEqual(
      { ...tally(told), 204: 0, done: 0 },
      { 204: 0, done: 0, last_administrator: 1 },
      JSON.stringify(tally(told)),
    )
    await assertOneIsLeft(house.auth)
  })

  test('two administrators of whom each removes the other, again and again: one is left each time', async () => {
    await using house = await houseOf(engine, 2)
    const all = Object.values(ways)
    let [ada, eve] = house.administrators
    for (let round = 0; round < 10; round += 1) {
      assert.ok(ada && eve)
      const removals = [all[round % all.length], all[(round * 2 + 1) % all.length]] as Way[]
      const told = await Promise.all([removals[0]?.(house.auth, eve), removals[1]?.(house.auth, ada)])
      assert.equal(told.filter((code) => code === 'last_administrator').length, 1, told.join())
      await assertOneIsLeft(house.auth)

      const [left] = await activeAdministrators(house.auth)
      ada = [ada, eve].find(({ id }) => id === left)
      eve = await administrator(house.auth, `again${round}@example.com`)
    }
  })

  test('an account that is deleted and deactivated many times concurrently is removed once', async () => {
    await using house = await houseOf(engine, 2)
    const { deps } = engineOf(house.auth)
    const [ada, eve] = house.administrators
    assert.ok(ada && eve)
    const removals = inParallel(20, () =>
      transact(deps, actor, async (work) =>
        deleteUser(work, ada.id, 'administrator', await lockForDeletion(work, ada.id)),
      ),
    )
    await Promise.all([
      removals,
      inParallel(20, () => setActive(deps, actor, { who: eve.email, active: false }).catch(codeOf)),
    ])
    const events = await deps.store.db.selectFrom('events').select('name').execute()
    assert.equal(events.filter(({ name }) => name === 'user.deleted').length, 1)
    assert.equal(events.filter(({ name }) => name === 'user.deactivated').length, 0)
    await assertOneIsLeft(house.auth)
  })

  test('an account that is promoted while it is deleted is no stand-in for an administrator who leaves', async () => {
    await using house = await houseOf(engine, 1)
    const { deps } = engineOf(house.auth)
    for (let round = 0; round < 10; round += 1) {
      const [last] = await activeAdministrators(house.auth)
      const email = `plain${round}@example.com`
      await createAccount(deps, actor, { email, username: `plain${round}`, password })
      const told = await Promise.all([
        createAdministrator(deps, actor, { email }).then(() => 'done', codeOf),
        deleteAccount(deps, actor, { who: email }).then(() => 'done', codeOf),
        deleteAccount(deps, actor, { who: last ?? '' }).then(() => 'done', codeOf),
      ])
      for (const code of told) assert.match(code, /^(?:done|last_administrator|user_not_found|input_invalid)$/)
      assert.ok((await activeAdministrators(house.auth)).length > 0)
    }
  })

  test('a user who is deactivated concurrently by many is deactivated once', async () => {
    await using house = await houseOf(engine, 2)
    const { deps } = engineOf(house.auth)
    const [ada] = house.administrators
    assert.ok(ada)
    await inParallel(20, () => setActive(deps, actor, { who: ada.email, active: false }))
    await inParallel(20, () => setActive(deps, actor, { who: ada.email, active: true }))
    const events = await deps.store.db.selectFrom('events').select('name').orderBy('id').execute()
    assert.deepEqual(
      events.map(({ name }) => name).filter((name) => /activated$/.test(name)),
      ['user.deactivated', 'user.activated'],
    )
  })

  test('a unit of work that takes accounts or roles away without asking for it is undone', async () => {
    await using house = await houseOf(engine, 1)
    const { deps } = engineOf(house.auth)
    const forgetful: ((work: Work) => Promise<unknown>)[] = [
      (work) => work.db.deleteFrom('users').execute(),
      (work) => work.db.deleteFrom('users as u').where('u.email', '=', 'person0@example.com').execute(),
      (work) => work.db.updateTable('users').set({ is_active: 0 }).execute(),
      (work) => work.db.updateTable('users').set({ first_name: '', is_active: 0 }).execute(),
      (work) => work.db.updateTable('users').set('is_active', 0).execute(),
      (work) => work.db.deleteFrom('user_roles').execute(),
      (work) =>
        work.db
          .updateTable('user_roles')
          .set({ user_id: 'x' as UserId })
          .where('role', '!=', 'administrator')
          .execute(),
    ]
    for (const change of forgetful) {
      const unit = transact(deps, actor, async (work) => {
        work.changed('all')
        await change(work)
      })
      await assert.rejects(unit, /without lockForRemoval/)
    }
    await assertOneIsLeft(house.auth)
  })
})

interface Administrator {
  readonly id: UserId
  readonly email: string
  readonly token: string
}

/** Removes an administrator and returns a status or a code. */
type Way = (auth: Auth, who: Administrator) => Promise<string | number>

const ways = {
  async leave(auth, { token }) {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    const url = 'http://localhost:3000/api/v1/auth/me'
    const answer = await auth.fetch(new Request(url, { method: 'DELETE', headers, body: JSON.stringify({ password }) }))
    return answer.status === 204 ? 204 : ((await answer.json()) as { code: string }).code
  },
  delete: (auth, { email }) => deleteAccount(engineOf(auth).deps, actor, { who: email }).then(() => 'done', codeOf),
  stop: (auth, { email }) =>
    setActive(engineOf(auth).deps, actor, { who: email, active: false }).then(() => 'done', codeOf),
  byLibrary: (auth, { token }) => auth.api.deleteOwnAccount({ password }, { token }).then(() => 'done', codeOf),
  demote: (auth, { id }) =>
    transact(engineOf(auth).deps, actor, async (work) => {
      await lockForRemoval(work, id)
      await work.db.deleteFrom('user_roles').where('user_id', '=', id).execute()
      work.changed([id])
    }).then(() => 'done', codeOf),
  stopInUnit: (auth, { id }) =>
    transact(engineOf(auth).deps, actor, (work) => deactivateUser(work, id)).then(() => 'done', codeOf),
} as const satisfies Record<string, Way>

/** Creates the library over a fresh database with this many administrators, each with a session. */
async function houseOf(
  engine: Engine,
  count: number,
): Promise<TestAuth & { readonly administrators: readonly Administrator[] }> {
  const house = await testAuth({ engine, settings: { rateLimits: 'off' } })
  const administrators: Administrator[] = []
  for (let index = 0; index < count; index += 1) {
    administrators.push(await administrator(house.auth, `person${index}@example.com`))
  }
  return { ...house, administrators }
}

async function administrator(auth: Auth, email: string): Promise<Administrator> {
  const { user } = await createAdministrator(engineOf(auth).deps, actor, { email, password })
  const { accessToken } = await auth.api.authenticateUser({ email, password })
  return { id: user.id, email, token: accessToken }
}

async function activeAdministrators(auth: Auth): Promise<UserId[]> {
  const rows = await engineOf(auth)
    .deps.store.db.selectFrom('users')
    .innerJoin('user_roles', 'user_roles.user_id', 'users.id')
    .select('users.id')
    .where('user_roles.role', '=', 'administrator')
    .where('users.is_active', '=', 1)
    .execute()
  return rows.map(({ id }) => id)
}

async function assertOneIsLeft(auth: Auth): Promise<void> {
  assert.equal((await activeAdministrators(auth)).length, 1)
}

/** Returns the code of a rejection, or what went wrong. */
function codeOf(error: unknown): string {
  return isAuthError(error) ? error.code : String(error)
}
