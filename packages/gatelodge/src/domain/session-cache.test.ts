import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, test } from 'node:test'
import { testDeps } from '../../test/support/deps.ts'
import { innerActor } from '../kernel/actor.ts'
import { day } from '../kernel/clock.ts'
import type { SessionId } from '../kernel/ids.ts'
import { transact } from '../store/unit-of-work.ts'
import type { Deps } from './deps.ts'
import { endSession, insertSession } from './sessions.ts'
import { createUser } from './users.ts'

const folder = mkdtempSync(join(tmpdir(), 'gatelodge-cache-'))
after(() => rmSync(folder, { recursive: true }))
const actor = innerActor('command', 'test')
const nextTurn = () => new Promise((resolve) => setImmediate(resolve))

/** Whether memory answers; when it does not, waits for the database. */
async function isRemembered(deps: Deps, id: SessionId): Promise<boolean> {
  const found = deps.sessionCache.find(id)
  await found
  return !(found instanceof Promise)
}

async function makeSession(deps: Deps, email = 'ada@example.com') {
  return transact(deps, actor, async (work) => {
    const user = await createUser(work, {
      email,
      emailVerifiedAt: work.now,
      username: null,
      firstName: 'Ada',
      lastName: '',
      passwordHash: null,
      by: 'library',
    })
    assert.ok(user)
    const { row } = await insertSession(
      work,
      deps.config,
      user.id,
      { methods: ['pwd'], assurance: 'aal1' },
      { kind: 'cookie', remember: false },
    )
    return { user, row }
  })
}

test('a session is read once and then answered from memory, until its user changes', async () => {
  const { deps, close } = await testDeps()
  const { user, row } = await makeSession(deps)
  assert.equal(await isRemembered(deps, row.id), false)
  assert.equal(await isRemembered(deps, row.id), true)

  await transact(deps, actor, async (work) => {
    await work.db.updateTable('users').set({ first_name: 'Augusta' }).where('id', '=', user.id).execute()
    work.changed([user.id])
  })
  assert.equal((await deps.sessionCache.find(row.id))?.user.firstName, 'Augusta')
  await transact(deps, actor, (work) => endSession(work, user.id, row.id))
  assert.equal(await deps.sessionCache.find(row.id), undefined)
  await close()
})

test('what was read before a change and arrives after it answers once and is not kept', async () => {
  const { deps, close } = await testDeps()
  const { user, row } = await makeSession(deps)
  const reading = deps.sessionCache.find(row.id)
  deps.invalidations.announce([user.id])
  await reading
  assert.equal(await isRemembered(deps, row.id), false)
  await close()
})

test('a commit of another process is seen at the next turn of the event loop', async () => {
  const file = join(folder, 'shared.db')
  const { deps, close } = await testDeps({ databaseFile: file })
  const { row } = await makeSession(deps)
  await deps.sessionCache.find(row.id)
  await nextTurn()

  const other = new DatabaseSync(file)
  other.exec(`delete from sessions where id = '${row.id}'`)
  other.close()
  assert.equal(await deps.sessionCache.find(row.id), undefined)
  await close()
})

test('an expired session is dropped from memory, and a stopped account has none', async () => {
  const { deps, clock, close } = await testDeps()
  const first = await makeSession(deps)
  await deps.sessionCache.find(first.row.id)
  clock.advance(7 * day)
  assert.equal(deps.sessionCache.find(first.row.id), undefined)
  assert.equal(await deps.sessionCache.find(first.row.id), undefined)

  const second = await makeSession(deps, 'eve@example.com')
  await transact(deps, actor, async (work) => {
    await work.db.updateTable('users').set({ is_active: 0 }).where('id', '=', second.user.id).execute()
    work.changed('all')
  })
  assert.equal(await deps.sessionCache.find(second.row.id), undefined)
  await close()
})

test('two sessions of one user are forgotten together', async () => {
  const { deps, close } = await testDeps()
  const { user, row } = await makeSession(deps)
  const other = await transact(deps, actor, (work) =>
    insertSession(
      work,
      deps.config,
      user.id,
      { methods: ['pwd'], assurance: 'aal1' },
      { kind: 'token', remember: false },
    ),
  )
  await deps.sessionCache.find(row.id)
  await deps.sessionCache.find(other.row.id)
  deps.invalidations.announce([user.id])
  assert.equal(await isRemembered(deps, row.id), false)
  assert.equal(await isRemembered(deps, other.row.id), false)
  await close()
})
