import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sql } from 'kysely'
import { type Engine, forEachDatabase } from '../../test/support/app.ts'
import { freshDatabase, openLocation } from '../../test/support/databases.ts'
import type { AuthError } from '../kernel/errors.ts'
import type { UserId } from '../kernel/ids.ts'
import { foreignKeys, lostKey, uniqueConstraints } from './constraints.ts'
import { migrateUp } from './migrate.ts'
import type { Store, WriteDb } from './store.ts'

async function freshStore(engine: Engine) {
  const { location, release } = await freshDatabase(engine)
  const store = await openLocation(location)
  await migrateUp(store)
  return {
    store,
    async [Symbol.asyncDispose]() {
      await store.close()
      await release()
    },
  }
}

/** Returns `table: columns` of every unique constraint and index, on PostgreSQL with its name. */
async function uniqueKeysOf({ engine, migrationDb }: Store): Promise<string[]> {
  const sqlite = sql<{ key: string }>`
    select t.name || ' ' || (select group_concat(c.name, ', ') from (select name from pragma_index_info(i.name) order by seqno) c) as key
    from sqlite_master t join pragma_index_list(t.name) i where t.type = 'table' and i."unique" = 1`
  const postgres = sql<{ key: string }>`
    select t.relname || ' ' || i.relname || ' ' || (
      select string_agg(coalesce(a.attname, 'expression'), ', ' order by k.position)
      from unnest(x.indkey) with ordinality k (number, position)
      left join pg_attribute a on a.attrelid = t.oid and a.attnum = k.number) as key
    from pg_index x join pg_class i on i.oid = x.indexrelid join pg_class t on t.oid = x.indrelid
    where x.indisunique and t.relnamespace = 'public'::regnamespace`
  const { rows } = await (engine === 'sqlite' ? sqlite : postgres).execute(migrationDb)
  return rows.map(({ key }) => key).filter((key) => !key.startsWith('schema_migrations ')) // written under its own lock
}

async function tablesWithForeignKeys({ engine, migrationDb }: Store): Promise<string[]> {
  const sqlite = sql<{ name: string }>`
    select distinct t.name from sqlite_master t join pragma_foreign_key_list(t.name) f where t.type = 'table'`
  const postgres = sql<{ name: string }>`
    select distinct t.relname as name from pg_constraint c join pg_class t on t.oid = c.conrelid
    where c.contype = 'f' and t.relnamespace = 'public'::regnamespace`
  const { rows } = await (engine === 'sqlite' ? sqlite : postgres).execute(migrationDb)
  return rows.map(({ name }) => name)
}

const user = (id: string, email: string, username: string | null = null) => ({
  id: id as UserId,
  email,
  username,
  email_verified_at: null,
  first_name: '',
  last_name: '',
  password_hash: null,
  password_changed_at: null,
  is_active: 1 as const,
  is_staff: 0 as const,
  avatar_url: null,
  signup_browser_hash: null,
  created_at: 0,
  last_login_at: null,
})

forEachDatabase('constraints', (engine) => {
  test('every unique constraint of the schema has an error for its violation, and the table lists no others', async () => {
    await using database = await freshStore(engine)
    const known = Object.entries(uniqueConstraints).flatMap(([table, constraints]) =>
      Object.entries(constraints).map(([name, [columns]]) =>
        engine === 'sqlite' ? `${table} ${columns}` : `${table} ${name} ${columns}`,
      ),
    )
    assert.deepEqual((await uniqueKeysOf(database.store)).sort(), known.sort())
  })

  test('every table with a foreign key has an error for a missing row, and the table lists no others', async () => {
    await using database = await freshStore(engine)
    assert.deepEqual((await tablesWithForeignKeys(database.store)).sort(), Object.keys(foreignKeys).sort())
  })

  test('a violated constraint raises the error listed for it; the cause names the constraint without a value', async () => {
    await using database = await freshStore(engine)
    const { store } = database
    await store.transaction(async (db) => {
      await db
        .insertInto('users')
        .values(user('one', 'one@example.com', 'one'))
        .execute()
      await db
        .insertInto('usernames')
        .values({ username: 'kept', user_id: null, email: 'x@example.com', expires_at: 1 })
        .execute()
      await db
        .insertInto('service_clients')
        .values({ id: 'a', name: 'service', secret_hash: '', scopes: '', created_at: 0 })
        .execute()
    })
    const insert = (write: (db: WriteDb) => Promise<unknown>) => store.transaction(write)
    const missing = 'missing' as UserId
    const cases = [
      ['email_taken', true, (db) => db.insertInto('users').values(user('one', 'two@example.com')).execute()],
      ['email_taken', true, (db) => db.insertInto('users').values(user('two', 'one@example.com')).execute()],
      [
        'username_taken',
        true,
        (db) =>
          db
            .insertInto('users')
            .values(user('two', 'two@example.com', 'one'))
            .execute(),
      ],
      [
        'username_taken',
        true,
        (db) =>
          db
            .insertInto('usernames')
            .values({ username: 'kept', user_id: 'one' as UserId, email: null, expires_at: null })
            .execute(),
      ],
      [
        'input_invalid',
        true,
        (db) =>
          db
            .insertInto('service_clients')
            .values({ id: 'b', name: 'service', secret_hash: '', scopes: '', created_at: 0 })
            .execute(),
      ],
      [
        'user_not_found',
        false,
        (db) => db.insertInto('user_roles').values({ user_id: missing, role: 'administrator' }).execute(),
      ],
      [
        'token_invalid',
        false,
        (db) =>
          db
            .insertInto('email_reservations')
            .values({ email: 'y@example.com', user_id: missing, expires_at: 1 })
            .execute(),
      ],
    ] as const satisfies readonly (readonly [string, boolean, (db: WriteDb) => Promise<unknown>])[]
    for (const [code, isUnique, write] of cases) {
      await assert.rejects(insert(write), (error: AuthError) => {
        assert.deepEqual([error.code, lostKey(error)], [code, isUnique])
        assert.match(String(error.cause), /^Refused: refused by [\w. ]+$/)
        return true
      })
    }
  })

  test('a violation that cannot happen stays an unexpected error', async () => {
    await using database = await freshStore(engine)
    const mail = {
      id: 'one',
      kind: 'test',
      state: 'requested',
      sealed: null,
      attempts: 0,
      next_attempt_at: 0,
      last_error: null,
      created_at: 0,
      finished_at: null,
      lease: null,
      leased_until: null,
    } as const
    const write = () => database.store.transaction((db) => db.insertInto('mails').values(mail).execute())
    await write()
    await assert.rejects(write, (error: Error) => !lostKey(error) && /unique/i.test(error.message))
  })
})
