import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sql } from 'kysely'
import { type Engine, forEachDatabase } from '../../test/support/app.ts'
import { bareDatabase, openLocation } from '../../test/support/databases.ts'
import { populatedDatabase } from '../../test/support/populated.ts'
import type { UserId } from '../kernel/ids.ts'
import { assertCopyable, copiedTables, copyDatabase } from './copy.ts'
import { migrateUp } from './migrate.ts'
import { migrations } from './migrations/index.ts'
import type { Store } from './store.ts'

const nothing = () => {}

test('the list of tables matches the primary keys of the schema, with parents before the tables that reference them', async () => {
  const { location } = await bareDatabase('postgres')
  const store = await openLocation(location)
  await migrateUp(store)
  const { rows: keys } = await sql<{ name: string; columns: string[] }>`
    select t.table_name as name, json_agg(k.column_name order by k.ordinal_position) as columns
    from information_schema.table_constraints t join information_schema.key_column_usage k using (constraint_name)
    where t.constraint_type = 'PRIMARY KEY' and t.table_schema = 'public' and t.table_name <> 'schema_migrations' group by 1`.execute(
    store.migrationDb,
  )
  assert.deepEqual(Object.fromEntries(keys.map(({ name, columns }) => [name, columns])), { ...copiedTables })

  const { rows: references } = await sql<{ child: string; parent: string }>`
    select conrelid::regclass::text as child, confrelid::regclass::text as parent
    from pg_constraint where contype = 'f'`.execute(store.migrationDb)
  const order = Object.keys(copiedTables)
  assert.ok(references.length > 5)
  assert.deepEqual(
    references.filter(({ child, parent }) => order.indexOf(parent) >= order.indexOf(child)),
    [],
  )
  await store.close()
})

forEachDatabase('copying from', (engine) => {
  const other: Engine = engine === 'sqlite' ? 'postgres' : 'sqlite'

  test('twenty thousand rows are copied in batches', async () => {
    await using pair = await storesOf(engine, other)
    await migrateUp(pair.from)
    await pair.from.transaction(async (db) => {
      for (let batch = 0; batch < 40; batch += 1) {
        const users = Array.from({ length: 250 }, (_, index) => user(batch * 250 + index))
        await db.insertInto('users').values(users).execute()
        await db
          .insertInto('user_roles')
          .values(users.map(({ id }) => ({ user_id: id, role: 'administrator' })))
          .execute()
      }
    })

    let most = 0
    let before = 0
    const copied = await copyDatabase(pair.from, pair.to, ({ table, rows }) => {
      most = Math.max(most, rows - before)
      before = rows === copiedRows(table) ? 0 : rows
    })
    assert.equal(copied.users, 10_000)
    assert.equal(copied.user_roles, 10_000)
    assert.ok(most <= 500)
  })

  test('a target that is not empty is rejected and left unchanged', async () => {
    await using pair = await storesOf(engine, other)
    await migrateUp(pair.from)
    await migrateUp(pair.to)
    await pair.to.transaction((db) => db.insertInto('users').values(user(1)).execute())
    await assert.rejects(assertCopyable(pair.from, pair.to), /not empty: its table "users"/)
    await assert.rejects(copyDatabase(pair.from, pair.to, nothing), /not empty/)
    assert.equal((await pair.to.db.selectFrom('users').select('id').execute()).length, 1)
  })

  test('another version of the schema is rejected, in the source and in the target', async () => {
    const old = Object.fromEntries(Object.entries(migrations).slice(0, 1))
    await using pair = await storesOf(engine, other)
    await migrateUp(pair.from, old)
    await assert.rejects(copyDatabase(pair.from, pair.to, nothing), /source is not up to date.*migrate up/)
    await migrateUp(pair.from)
    await migrateUp(pair.to, old)
    await assert.rejects(copyDatabase(pair.from, pair.to, nothing), /target is not empty/)
  })

  test('a failure in the middle leaves the target empty', async () => {
    await using pair = await storesOf(engine, other, true)
    await migrateUp(pair.to)
    await onInsertOfEvent(pair.to, 'fail')
    await assert.rejects(
      copyDatabase(pair.from, pair.to, nothing),
      /"events" could not be written: .*Nothing was copied/,
    )
    await assertEmpty(pair.to)
  })

  test('changed or missing rows are detected, and the copy is rolled back', async () => {
    for (const fault of ['lose', 'change'] as const) {
      await using pair = await storesOf(engine, other, true)
      await migrateUp(pair.to)
      await onInsertOfEvent(pair.to, fault)
      await assert.rejects(copyDatabase(pair.from, pair.to, nothing), /rows of table "events" differ from the source/)
      await assertEmpty(pair.to)
    }
  })

  test('no other process can write to the source while it is copied', async () => {
    await using pair = await storesOf(engine, other, true)
    const writer = await openLocation(pair.source)
    let written: Promise<unknown> | undefined
    let isWritten = false
    const before = await pair.from.db.selectFrom('users').select('id').execute()
    await copyDatabase(pair.from, pair.to, () => {
      written ??= writer
        .transaction((db) => db.insertInto('users').values(user(1)).execute())
        .then(() => {
          isWritten = true
        })
      assert.equal(isWritten, false)
    })
    await written
    assert.equal((await pair.to.db.selectFrom('users').select('id').execute()).length, before.length)
    await writer.close()
  })
})

function copiedRows(table: string): number {
  return table === 'users' || table === 'user_roles' ? 10_000 : 0
}

async function storesOf(engine: Engine, other: Engine, populated = false) {
  const source = populated ? await populatedDatabase(engine) : await bareDatabase(engine)
  const target = await bareDatabase(other)
  const from = await openLocation(source.location)
  const to = await openLocation(target.location)
  return {
    from,
    to,
    source: source.location,
    async [Symbol.asyncDispose]() {
      for (const end of [from.close, to.close, source.release, target.release]) await end()
    },
  }
}

/** Installs a trigger in the target that rejects, drops or changes rows of `events`, a table near the end of the copy. */
async function onInsertOfEvent({ engine, migrationDb }: Store, fault: 'fail' | 'lose' | 'change'): Promise<void> {
  const sqlite = {
    fail: "select raise(abort, 'disk trouble')",
    lose: 'delete from events where id = new.id',
    change: "update events set ip = '198.51.100.99' where id = new.id",
  }
  const postgres = {
    fail: "raise exception 'disk trouble'",
    lose: 'return null',
    change: "new.ip = '198.51.100.99'; return new",
  }
  if (engine === 'sqlite') {
    await sql.raw(`create trigger faulty after insert on events begin ${sqlite[fault]}; end`).execute(migrationDb)
    return
  }
  await sql
    .raw(`create function faulty() returns trigger language plpgsql as $$ begin ${postgres[fault]}; end $$`)
    .execute(migrationDb)
  await sql`create trigger faulty before insert on events for each row execute function faulty()`.execute(migrationDb)
}

async function assertEmpty(store: Store): Promise<void> {
  for (const table of Object.keys(copiedTables)) {
    const { rows } = await sql`select 1 from ${sql.table(table)} limit 1`.execute(store.migrationDb)
    assert.deepEqual(rows, [], table)
  }
}

function user(number: number) {
  return {
    id: `01a1f86a-0000-7000-8000-${String(number).padStart(12, '0')}` as UserId,
    email: `person${number}@example.com`,
    email_verified_at: 1,
    username: null,
    first_name: 'Zoë',
    last_name: '',
    password_hash: null,
    password_changed_at: null,
    is_active: 1,
    is_staff: 0,
    avatar_url: null,
    signup_browser_hash: null,
    created_at: 1,
    last_login_at: null,
  } as const
}
