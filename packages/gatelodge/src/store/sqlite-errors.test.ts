import assert from 'node:assert/strict'
import { closeSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { sql } from 'kysely'
import { isAuthError } from '../kernel/errors.ts'
import { migrateUp } from './migrate.ts'
import { openSqlite } from './sqlite.ts'

const folder = mkdtempSync(join(tmpdir(), 'gatelodge-errors-'))
after(() => rmSync(folder, { recursive: true }))

const ofDisk = (name: string) => (error: unknown) =>
  isAuthError(error, 'service_unavailable') && error.retryAfter === 5 && String(error.cause).includes(`${name}: `)

test('a damaged file is reported as unavailable, not as an unexpected error', async () => {
  const file = join(folder, 'damaged.db')
  const first = openSqlite(file)
  await migrateUp(first)
  await first.close()
  const store = openSqlite(file)
  const pages = openSync(file, 'r+')
  writeSync(pages, Buffer.alloc(statSync(file).size - 4_096, 0xff), 0, undefined, 4_096)
  closeSync(pages)

  await assert.rejects(store.db.selectFrom('users').selectAll().execute(), ofDisk('SQLITE_CORRUPT'))
  await store.close()
})

test('a write to a read-only file is reported as unavailable', async () => {
  const store = openSqlite(join(folder, 'readonly.db'))
  await migrateUp(store)
  await sql`pragma query_only = on`.execute(store.migrationDb)
  const write = store.transaction((db) => db.deleteFrom('limit_counters').execute())
  await assert.rejects(write, ofDisk('SQLITE_READONLY'))
  await store.close()
})

test('a violated NOT NULL constraint is returned unchanged', async () => {
  const store = openSqlite(':memory:')
  await migrateUp(store)
  const write = store.transaction((db) =>
    db
      .insertInto('jobs')
      .values({ name: 'one', due_at: null as never })
      .execute(),
  )
  await assert.rejects(write, (error) => !isAuthError(error) && /NOT NULL/.test(String(error)))
  await store.close()
})
