import assert from 'node:assert/strict'
import { test } from 'node:test'
import { migrateUp } from '../src/store/migrate.ts'
import { composeTest, forEachDatabase, TestApp } from './support/app.ts'
import { openLocation } from './support/databases.ts'
import { type LogLine, testClock } from './support/deps.ts'
import { assertPeopleGoOn, populatedAt, populatedDatabase, schemaVersions } from './support/populated.ts'

forEachDatabase('upgrade', (engine) => {
  for (const version of schemaVersions) {
    test(`what people hold since ${version} is good in today's program`, async () => {
      const database = await populatedDatabase(engine, version)
      const logged: LogLine[] = []
      const clock = testClock(populatedAt)
      const composition = await composeTest({ database: database.location }, clock, logged)
      {
        await using app = new TestApp(composition, clock, logged)
        await assertPeopleGoOn(app)
      }
      assert.deepEqual(
        logged.filter(({ level }) => level === 'error'),
        [],
      )
      await database.release()
    })
  }

  test('the fixtures fill every table', async () => {
    const database = await populatedDatabase(engine)
    const store = await openLocation(database.location)
    assert.deepEqual(await migrateUp(store), [])
    const tables = await store.migrationDb.introspection.getTables()
    assert.ok(tables.length > 14)
    for (const { name } of tables) {
      const rows = await store.migrationDb.withTables<Record<string, object>>().selectFrom(name).selectAll().execute()
      assert.ok(rows.length > 0, name)
    }
    await store.close()
    await database.release()
  })
})
