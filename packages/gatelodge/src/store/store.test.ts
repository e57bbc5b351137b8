import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, test } from 'node:test'
import { sql } from 'kysely'
import { forEachDatabase } from '../../test/support/app.ts'
import { testDeps } from '../../test/support/deps.ts'
import { systemActor } from '../kernel/actor.ts'
import { AuthError } from '../kernel/errors.ts'
import type { UserId } from '../kernel/ids.ts'
import { migrateUp, migrationPlan, migrationStatus } from './migrate.ts'
import { migrations } from './migrations/index.ts'
import { lockSqliteForServer, openSqlite } from './sqlite.ts'
import { transact, type Work } from './unit-of-work.ts'

const folder = mkdtempSync(join(tmpdir(), 'gatelodge-store-'))
after(() => rmSync(folder, { recursive: true }))
const actor = systemActor('command', 'test')

test('a new database file is private to its owner and configured for durability', async () => {
  const file = join(folder, 'new.db')
  const store = openSqlite(file)
  assert.equal(statSync(file).mode & 0o777, 0o600)
  const pragma = async (name: string) =>
    (await sql<Record<string, unknown>>`pragma ${sql.raw(name)}`.execute(store.migrationDb)).rows[0]?.[name]
  assert.deepEqual(
    [
      await pragma('journal_mode'),
      await pragma('synchronous'),
      await pragma('foreign_keys'),
      await pragma('secure_delete'),
    ],
    ['wal', 1, 1, 1], // acknowledged only after a sync: see wal-sync.test.ts
  )
  await store.close()
})

test('a file with tables of another program is rejected and left unchanged', async () => {
  for (const statement of [
    'create table schema_migrations (version text)',
    'create table Users (id)',
    'create view events as select 1',
  ]) {
    const store = openSqlite(':memory:')
    await sql.raw(statement).execute(store.migrationDb)
    for (const open of [migrateUp, migrationStatus, migrationPlan])
      await assert.rejects(open(store), (error) => error instanceof AuthError && /another program/.test(error.detail))
    await store.close()
  }
})

test('migrations are planned and applied once, and a newer database is rejected', async () => {
  const store = openSqlite(':memory:')
  const names = Object.keys(migrations)
  assert.deepEqual(
    (await migrationStatus(store)).map(({ appliedAt }) => appliedAt),
    names.map(() => null),
  )
  const [plan] = await migrationPlan(store)
  assert.ok(plan?.sql.some((statement) => statement.startsWith('create table "users"')))
  assert.deepEqual(await migrateUp(store), names)
  assert.deepEqual(await migrateUp(store), [])
  assert.deepEqual(await migrationPlan(store), [])
  assert.equal(typeof (await migrationStatus(store))[0]?.appliedAt, 'number')

  await sql`insert into schema_migrations (name, timestamp) values ('9999-future', '2030-01-01T00:00:00.000Z')`.execute(
    store.migrationDb,
  )
  await assert.rejects(
    migrateUp(store),
    (error) => error instanceof AuthError && /newer version of Gatelodge/.test(error.detail),
  )
  await store.close()
})

forEachDatabase('units of work', (engine) => {
  test('a failed unit of work leaves nothing behind', async () => {
    const { deps, store, close } = await testDeps({ engine })
    await assert.rejects(
      transact(deps, actor, async (work) => {
        await work.db
          .insertInto('limit_counters')
          .values({ key: 'k', count: 1, since: 1, blocked_until: 1, expires_at: 1 })
          .execute()
        throw new Error('no')
      }),
      /no/,
    )
    assert.deepEqual(await store.db.selectFrom('limit_counters').selectAll().execute(), [])
    await close()
  })

  test('a unit that changes rows of the session check has to name the users', async () => {
    const { deps, close } = await testDeps({ engine })
    const forgetful: ((work: Work) => Promise<unknown>)[] = [
      (work) => work.db.updateTable('users').set({ first_name: '' }).execute(),
      (work) => work.db.deleteFrom('sessions').execute(),
    ]
    for (const change of forgetful) await assert.rejects(transact(deps, actor, change), /without work\.changed/)
    await transact(deps, actor, async (work) => {
      await work.db.updateTable('users').set({ first_name: '' }).execute()
      work.changed([])
    })
    await close()
  })

  test('announcements follow a commit, and are not made when it fails', async () => {
    const { deps, close } = await testDeps({ engine })
    const told: unknown[] = []
    const { generation } = deps.invalidations
    deps.invalidations.subscribe((users) => told.push(users))
    await transact(deps, actor, async (work) => work.changed(['u' as UserId]))
    await transact(deps, actor, async (work) => work.changed('all'))
    await assert.rejects(
      transact(deps, actor, async (work) => {
        work.changed('all')
        throw new Error('no')
      }),
    )
    assert.deepEqual(told, [['u'], 'all'])
    assert.equal(deps.invalidations.generation - generation, 2)
    await close()
  })
})

test('a hundred parallel units run one after the other and all commit', async () => {
  const { deps, store, close } = await testDeps({ engine: 'sqlite' })
  await Promise.all(
    Array.from({ length: 100 }, () =>
      transact(deps, actor, async (work) => {
        const row = await work.db.selectFrom('limit_counters').selectAll().where('key', '=', 'k').executeTakeFirst()
        const count = (row?.count ?? 0) + 1
        await work.db
          .insertInto('limit_counters')
          .values({ key: 'k', count, since: 1, blocked_until: 1, expires_at: 1 })
          .onConflict((conflict) => conflict.column('key').doUpdateSet({ count }))
          .execute()
      }),
    ),
  )
  assert.equal((await store.db.selectFrom('limit_counters').select('count').executeTakeFirstOrThrow()).count, 100)
  await close()
})

test('a writer waits for another process without blocking the event loop, and detects its commits', async () => {
  const file = join(folder, 'shared.db')
  const { deps, store, close } = await testDeps({ engine: 'sqlite', databaseFile: file })
  const other = new DatabaseSync(file)
  const before = store.foreignVersion()
  other.exec('begin immediate')

  let turns = 0
  const counting = setInterval(() => turns++, 1)
  const waiting = transact(deps, actor, async (work) => work.db.deleteFrom('limit_counters').execute())
  while (turns < 20) await new Promise((resolve) => setImmediate(resolve))
  other.exec("insert into limit_counters values ('x', 1, 1, 1, 1)")
  other.exec('commit')
  await waiting
  clearInterval(counting)
  assert.notEqual(store.foreignVersion(), before)

  const own = store.foreignVersion()
  await transact(deps, actor, async (work) => work.db.deleteFrom('limit_counters').execute())
  assert.equal(store.foreignVersion(), own)
  other.close()
  await close()
})

test('the server lock ends with its process', async () => {
  const file = join(folder, 'locked.db')
  const holder = spawn(process.execPath, [
    '--expose-gc',
    '--input-type=module',
    '-e',
    `import { lockSqliteForServer } from ${JSON.stringify(new URL('./sqlite.ts', import.meta.url).href)}
     lockSqliteForServer(${JSON.stringify(file)}); await new Promise(setImmediate); gc(); await new Promise(setImmediate)
     console.log('held'); setInterval(() => {}, 1000)`,
  ])
  await once(holder.stdout, 'data')
  assert.throws(
    () => lockSqliteForServer(file),
    (error) => error instanceof AuthError && error.code === 'service_unavailable',
  )

  holder.kill('SIGKILL')
  await once(holder, 'exit')
  const lock = lockSqliteForServer(file)
  assert.throws(() => lockSqliteForServer(file))
  lock.release()
  lockSqliteForServer(file).release()
  lockSqliteForServer(':memory:').release()
})

test('a backup taken while the database is in use is complete and private to its owner', async () => {
  const file = join(folder, 'live.db')
  const target = join(folder, 'backup.db')
  const { deps, store, close } = await testDeps({ engine: 'sqlite', databaseFile: file })
  await transact(deps, actor, async (work) => {
    await work.db
      .insertInto('limit_counters')
      .values({ key: 'k', count: 1, since: 1, blocked_until: 1, expires_at: 1 })
      .execute()
  })
  await store.backup(target)
  assert.equal(statSync(target).mode & 0o777, 0o600)
  const copy = openSqlite(target)
  assert.equal((await copy.db.selectFrom('limit_counters').select('count').executeTakeFirstOrThrow()).count, 1)
  await copy.close()
  await close()
})
