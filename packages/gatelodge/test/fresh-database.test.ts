import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sql } from 'kysely'
import { migrateUp } from '../src/store/migrate.ts'
import { freshPostgresDatabase, openTestPostgres } from './support/postgres.ts'

test('a released database is empty and reused, unless its schema, settings or steps were changed', async () => {
  const urls: string[] = []
  const changes = [
    () => sql`insert into jobs values ('x', 1, null)`,
    () => sql`alter table jobs add column more text`,
    () => sql`create index more on jobs (due_at)`,
    (name: string) => sql`alter database ${sql.ref(name)} set work_mem = '1MB'`,
    () => sql`insert into schema_migrations values ('9999-later', 'x')`,
  ]
  for (const change of changes) {
    const { url, release } = await freshPostgresDatabase()
    urls.push(url)
    const store = openTestPostgres(url)
    await migrateUp(store)
    assert.deepEqual(await store.migrationDb.selectFrom('jobs').selectAll().execute(), [])
    await change(url.slice(url.lastIndexOf('/') + 1)).execute(store.migrationDb)
    await store.close()
    await release()
  }
  assert.equal(urls[1], urls[0])
  assert.equal(new Set(urls).size, changes.length - 1)
})
