import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, renameSync, rmSync, statSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, test } from 'node:test'
import { testDeps } from '../../test/support/deps.ts'
import { isAuthError } from '../kernel/errors.ts'
import type { Store } from './store.ts'

const folder = mkdtempSync(join(tmpdir(), 'gatelodge-rewrite-'))
after(() => rmSync(folder, { recursive: true }))

test('other connections read, write and back up while the file is rewritten, and the file shrinks', async () => {
  const { file, store, close } = await filled('used')
  const before = statSync(file).size
  let isDone = false
  const rewritten = store.rewrite().finally(() => {
    isDone = true
  })
  let writes = 0
  while (!isDone) {
    await addCounter(store, `during ${writes}`)
    writes += 1
  }
  await rewritten
  assert.ok(await store.truncateLog())
  assert.ok(statSync(file).size < before / 2)
  assert.equal(statSync(`${file}-wal`).size, 0)

  const both = await Promise.all([store.rewrite(), store.backup(`${file}-copy`), addCounter(store, 'meanwhile')])
  assert.equal(both.length, 3)
  const copy = new DatabaseSync(`${file}-copy`)
  assert.equal(copy.prepare('pragma integrity_check').get()?.integrity_check, 'ok')
  copy.close()
  const counters = await store.db.selectFrom('limit_counters').select('key').execute()
  assert.equal(counters.length, writes + 1)
  await close()
})

test('a store that closes lets the thread finish', async () => {
  const { file, store, close } = await filled('closed')
  const before = statSync(file).size
  const rewritten = store.rewrite()
  await close()
  await rewritten
  assert.ok(statSync(file).size < before / 2)
  assert.equal(existsSync(`${file}-wal`), false)
})

test('a file larger than 100 MiB is left unchanged', async () => {
  const { file, store, close } = await filled('large')
  const db = new DatabaseSync(file)
  const free = () => db.prepare('pragma freelist_count').get()?.freelist_count
  const before = free()
  assert.notEqual(before, 0)
  truncateSync(file, 100 * 1024 * 1024 + 1) // a sparse file
  await store.rewrite()
  assert.equal(free(), before)
  db.close()
  await close()
})

test('another writer means busy, a deleted file means unavailable and is not created again, and the store keeps working after both', async () => {
  const { file, store, close } = await filled('failing')
  const other = new DatabaseSync(file)
  other.exec('begin immediate')
  await assert.rejects(store.rewrite(), (error) => isAuthError(error, 'database_busy'))
  other.exec('rollback')
  other.close()
  renameSync(file, `${file}-away`)
  await assert.rejects(store.rewrite())
  assert.equal(existsSync(file), false)
  renameSync(`${file}-away`, file)
  await store.rewrite()
  await addCounter(store, 'after')
  await close()
})

/** Creates a store on a file that consists mostly of free pages. */
async function filled(name: string) {
  const file = join(folder, `${name}.db`)
  const { store, close } = await testDeps({ engine: 'sqlite', databaseFile: file })
  await store.transaction(async (db) => {
    for (let row = 0; row < 300; row += 1) {
      await db
        .insertInto('limit_counters')
        .values(counter(`${row} ${'x'.repeat(3_000)}`))
        .execute()
    }
  })
  await store.transaction((db) => db.deleteFrom('limit_counters').execute())
  assert.ok(await store.truncateLog())
  return { file, store, close }
}

function addCounter(store: Store, key: string) {
  return store.transaction((db) => db.insertInto('limit_counters').values(counter(key)).execute())
}

function counter(key: string) {
  return { key, count: 1, since: 1, blocked_until: 1, expires_at: 1 }
}
