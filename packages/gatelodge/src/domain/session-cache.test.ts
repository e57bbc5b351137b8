import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, test } from 'node:test'
import { testDeps } from '../../test/support/deps.ts'
import { storeLastSeen } from '../jobs/last-seen.ts'
import { systemActor } from '../kernel/actor.ts'
import { day, minute } from '../kernel/clock.ts'
import type { SessionId, UserId } from '../kernel/ids.ts'
import { transact } from '../store/unit-of-work.ts'
import type { Deps } from './deps.ts'
import { createSessionCache } from './session-cache.ts'
import { endSession, insertSession } from './sessions.ts'
import { createUser } from './users.ts'

const folder = mkdtempSync(join(tmpdir(), 'gatelodge-cache-'))
after(() => rmSync(folder, { recursive: true }))
const actor = systemActor('command', 'test')
/** On PostgreSQL, memory answers only while notifications arrive, whose timing a test cannot control: see test/two-processes.test.ts. */
const engine = 'sqlite'
const nextTurn = () => new Promise((resolve) => setImmediate(resolve))

/** Returns whether the answer comes from memory; if not, waits for the database. */
async function isRemembered(deps: Deps, id: SessionId): Promise<boolean> {
  const found = deps.sessionCache.find(id)
  await found
  return !(found instanceof Promise)
}

async function use(deps: Deps, id: SessionId): Promise<void> {
  const live = await deps.sessionCache.find(id)
  assert.ok(live)
  deps.sessionCache.touch(live)
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
  const { deps, close } = await testDeps({ engine })
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
  const { deps, close } = await testDeps({ engine })
  const { user, row } = await makeSession(deps)
  const reading = deps.sessionCache.find(row.id)
  deps.invalidations.announce([user.id])
  await reading
  assert.equal(await isRemembered(deps, row.id), false)
  await close()
})

test('a commit of another process is seen at the next turn of the event loop', async () => {
  const file = join(folder, 'shared.db')
  const { deps, close } = await testDeps({ engine, databaseFile: file })
  const { row } = await makeSession(deps)
  await deps.sessionCache.find(row.id)
  await nextTurn()

  const other = new DatabaseSync(file)
  other.exec(`delete from sessions where id = '${row.id}'`)
  other.close()
  assert.equal(await deps.sessionCache.find(row.id), undefined)
  await close()
})

test('an expired session is none, and a stopped account has none', async () => {
  const { deps, clock, close } = await testDeps({ engine })
  const first = await makeSession(deps)
  await deps.sessionCache.find(first.row.id)
  clock.advance(7 * day)
  assert.equal(await deps.sessionCache.find(first.row.id), undefined)
  assert.equal(deps.sessionCache.figures().entries, 0)

  const second = await makeSession(deps, 'eve@example.com')
  await transact(deps, actor, async (work) => {
    work.allowRemoval()
    await work.db.updateTable('users').set({ is_active: 0 }).where('id', '=', second.user.id).execute()
    work.changed('all')
  })
  assert.equal(await deps.sessionCache.find(second.row.id), undefined)
  await close()
})

test('changes of others do not keep a session out of memory, and do not hide a change of its own user', async () => {
  const { deps, close } = await testDeps({ engine })
  const { user, row } = await makeSession(deps)
  const others = Array.from({ length: 1_001 }, (_, index) => `${index}` as UserId)
  const readDuring = async (...changes: (readonly UserId[])[]) => {
    deps.invalidations.announce('all')
    const reading = deps.sessionCache.find(row.id)
    for (const changed of changes) deps.invalidations.announce(changed)
    await reading
    return isRemembered(deps, row.id)
  }
  assert.equal(await readDuring(others.slice(0, 500)), true)
  assert.equal(await readDuring([user.id], others.slice(0, 500)), false)
  assert.equal(await readDuring([user.id], others), false)
  await close()
})

test('hits, misses and entries are counted', async () => {
  const { deps, close } = await testDeps({ engine })
  const { row } = await makeSession(deps)
  for (let check = 0; check < 3; check += 1) await deps.sessionCache.find(row.id)
  assert.deepEqual(deps.sessionCache.figures(), { hits: 2, misses: 1, entries: 1, trusted: true })
  await close()
})

test('memory for two sessions holds two of three, and a change of any of their users is known', async () => {
  const { deps, clock, close } = await testDeps({ engine })
  const { store, invalidations, config } = deps
  const cache = createSessionCache({ store, invalidations, clock, life: config, capacity: 2 })
  const made = await Promise.all(['ada', 'eve', 'joe'].map((name) => makeSession(deps, `${name}@example.com`)))
  for (const { row } of made) assert.ok(await cache.find(row.id))
  assert.equal(cache.figures().entries, 2)

  for (const { user, row } of made) {
    invalidations.announce([user.id])
    const found = cache.find(row.id)
    assert.ok(found instanceof Promise)
    await found
    invalidations.announce([user.id])
  }
  assert.equal(cache.figures().entries, 0)
  await close()
})

test('a use that is stored leaves the session in memory, which shows it', async () => {
  const { deps, clock, close } = await testDeps({ engine })
  const { row } = await makeSession(deps)
  await use(deps, row.id)
  clock.advance(minute)
  await use(deps, row.id)
  await storeLastSeen(deps)

  assert.equal(await isRemembered(deps, row.id), true)
  const live = await deps.sessionCache.find(row.id)
  assert.equal(live?.session.lastSeenAt, clock.now())
  assert.equal(live?.session.expiresAt, clock.now() + deps.config.sessionIdle)
  assert.equal(
    (await deps.store.db.selectFrom('sessions').select('last_seen_at').execute())[0]?.last_seen_at,
    clock.now(),
  )
  await close()
})

test('uses are stored in chunks; what a failure left is stored later, and no use moves back', async () => {
  const { deps, clock, close } = await testDeps({ engine })
  const { user } = await makeSession(deps)
  const ids: SessionId[] = []
  await transact(deps, actor, async (work) => {
    for (let count = 0; count < 250; count += 1) {
      const proof = { methods: ['pwd'], assurance: 'aal1' } as const
      ids.push((await insertSession(work, deps.config, user.id, proof, { kind: 'token', remember: false })).row.id)
    }
  })
  clock.advance(minute)
  for (const id of ids) await use(deps, id)
  await transact(deps, actor, async (work) => {
    const later = { last_seen_at: clock.now() + 1 }
    await work.db
      .updateTable('sessions')
      .set(later)
      .where('id', '=', ids[0] as SessionId)
      .execute()
    work.changed([])
  })

  let chunks = 0
  const failing = { ...deps.store, transaction: failAt(2) }
  function failAt(bad: number): Deps['store']['transaction'] {
    return async (work) => {
      chunks += 1
      if (chunks === bad) throw new Error('the database is away')
      return deps.store.transaction(work)
    }
  }
  await assert.rejects(storeLastSeen({ ...deps, store: failing }), /away/)
  assert.equal(deps.sessionCache.unstoredTouches().length, 150)
  await storeLastSeen(deps)
  assert.equal(deps.sessionCache.unstoredTouches().length, 0)
  const stored = await deps.store.db.selectFrom('sessions').select(['id', 'last_seen_at']).execute()
  const seen = new Map(stored.map(({ id, last_seen_at }) => [id, last_seen_at]))
  assert.equal(seen.get(ids[0] as SessionId), clock.now() + 1)
  assert.ok(ids.slice(1).every((id) => seen.get(id) === clock.now()))
  await close()
})

test('a use that comes while the one before is stored is stored as well', async () => {
  const { deps, clock, close } = await testDeps({ engine })
  const { row } = await makeSession(deps)
  clock.advance(minute)
  await use(deps, row.id)
  const storing = storeLastSeen(deps)
  clock.advance(minute)
  await use(deps, row.id)
  await storing
  assert.deepEqual(deps.sessionCache.unstoredTouches(), [[row.id, clock.now()]])
  await close()
})

test('two sessions of one user are forgotten together', async () => {
  const { deps, close } = await testDeps({ engine })
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
