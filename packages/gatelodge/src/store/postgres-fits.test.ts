import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { sql } from 'kysely'
import pg from 'pg'
import { commandFolder } from '../../test/support/cli.ts'
import { startPostgres } from '../../test/support/postgres-server.ts'
import { AuthError } from '../kernel/errors.ts'
import { migrateUp } from './migrate.ts'
import { openPostgres } from './postgres.ts'
import { PostgresFailure } from './postgres-errors.ts'

const server = await startPostgres()
after(() => server.stop())

async function admin(statements: string, database = 'postgres'): Promise<void> {
  const client = new pg.Client({ connectionString: urlOf(database) })
  await client.connect()
  try {
    for (const statement of statements.split('; ')) await client.query(statement)
  } finally {
    await client.end()
  }
}

function urlOf(database: string, role = 'postgres'): string {
  return server.url.replace('postgres@', `${role}@`).replace(/[^/]+$/, database)
}

/** Returns what doctor reports for a database that a server refuses to start on, and checks that it fails. */
async function diagnosisOf(url: string): Promise<string> {
  await using folder = commandFolder({ GATELODGE_DATABASE: url })
  const { status, stdout } = await folder.run('doctor')
  assert.equal(status, 1, stdout)
  const unwrapped = stdout.replaceAll(/\n +(?! )/g, ' ')
  assert.doesNotMatch(unwrapped, /or start the server/, stdout)
  return unwrapped
}

/** Returns the error with which a program rejects a database. A command opens the database as the server does, and then exits. */
async function refusalOf(url: string): Promise<string> {
  await using folder = commandFolder({ GATELODGE_DATABASE: url })
  const { status, stderr, stdout } = await folder.run('user list')
  assert.equal(status, 1, stdout)
  assert.match(stderr, /^gatelodge: [^\n]+\n$/, 'one line, no trace')
  return stderr
}

test('a database with another encoding is rejected at startup, with the command that creates a suitable one', async () => {
  for (const encoding of ['LATIN1', 'SQL_ASCII', 'EUC_JP', 'WIN1252']) {
    const name = `of_${encoding.toLowerCase()}`
    await admin(`create database ${name} encoding '${encoding}' locale 'C' template template0`)
    const told = await refusalOf(urlOf(name))
    assert.ok(told.includes(`has the encoding ${encoding}`), told)
    assert.match(told, /create database \w+ encoding 'UTF8' locale 'C' template template0/)

    await using folder = commandFolder({ GATELODGE_DATABASE: urlOf(name) })
    assert.match((await folder.run('doctor')).stdout, new RegExp(`encoding ${encoding}`))
    assert.match((await folder.run('migrate up')).stderr, new RegExp(`encoding ${encoding}`))
  }
})

test('a role that cannot create tables in the schema is rejected with the grant that it needs', async () => {
  await admin('create role maker login; create database making')
  const told = await refusalOf(urlOf('making', 'maker'))
  assert.match(told, /role maker may not create tables in the schema public/)
  assert.ok(told.includes('grant usage, create on schema public to maker'), told)
  assert.match(await diagnosisOf(urlOf('making', 'maker')), /grant usage, create on schema public to maker/)

  await admin('grant usage, create on schema public to maker', 'making')
  await using folder = commandFolder({ GATELODGE_DATABASE: urlOf('making', 'maker') })
  assert.equal((await fetch(`${(await folder.serve()).origin}/readyz`)).status, 200)
})

test('a search_path without a usable schema is reported', async () => {
  await admin('create role lost login; create database losing owner lost; alter role lost set search_path = nowhere')
  const gone = await refusalOf(urlOf('losing', 'lost'))
  assert.match(gone, /search_path of the role lost \(nowhere\) names no existing schema/)
  assert.match(gone, /create schema|alter role lost/)
  assert.match(
    await diagnosisOf(urlOf('losing', 'lost')),
    /\(nowhere\) names no existing schema.*create schema gatelodge/s,
  )

  await admin('create schema "Odd Place"; alter role lost set search_path = "Odd Place"', 'losing')
  assert.match(
    await refusalOf(urlOf('losing', 'lost')),
    /names no existing schema/,
    'one that it may not use does not count',
  )
  await admin('grant usage on schema "Odd Place" to lost', 'losing')
  assert.ok((await refusalOf(urlOf('losing', 'lost'))).includes('grant usage, create on schema "Odd Place" to lost'))
  await admin('grant usage, create on schema "Odd Place" to lost', 'losing')
  await using folder = commandFolder({ GATELODGE_DATABASE: urlOf('losing', 'lost') })
  assert.equal((await fetch(`${(await folder.serve()).origin}/readyz`)).status, 200)
})

test('a search_path that leads to a schema of PostgreSQL itself is rejected, even for a superuser', async () => {
  await admin('create role inner_role login; create database inside owner inner_role')
  for (const role of ['inner_role', 'postgres'])
    for (const schema of ['pg_catalog', 'information_schema']) {
      await admin(`alter role ${role} in database inside set search_path = ${schema}`)
      for (const told of [await refusalOf(urlOf('inside', role)), await diagnosisOf(urlOf('inside', role))]) {
        assert.ok(told.includes(`resolves to ${schema}`), told)
        assert.doesNotMatch(told, /grant/)
      }
    }
  const [make, set] =
    /create schema (.*?); (alter role .*? = gatelodge)/
      .exec(await refusalOf(urlOf('inside', 'inner_role')))
      ?.slice(1) ?? []
  await admin(`create schema ${make}; ${set}`, 'inside')
  await using folder = commandFolder({ GATELODGE_DATABASE: urlOf('inside', 'inner_role') })
  assert.equal((await folder.run('migrate up')).status, 0)
})

test('a schema with tables of another program is rejected and left unchanged', async () => {
  await admin('create role sharer login')
  const foreign: Readonly<Record<string, string>> = {
    rails: 'create table schema_migrations (version varchar primary key)',
    golang: 'create table schema_migrations (version bigint, dirty boolean)',
    alone: 'create table users (id serial)',
    view: 'create view sessions as select 1 as id',
    index: 'create table theirs (id int); create index events_at on theirs (id)',
  }
  for (const [name, statements] of Object.entries(foreign)) {
    const database = `shared_${name}`
    await admin(`create database ${database} owner sharer`)
    await admin(statements, database)
    await using folder = commandFolder({ GATELODGE_DATABASE: urlOf(database, 'sharer') })
    const told = [await refusalOf(urlOf(database, 'sharer')), await diagnosisOf(urlOf(database, 'sharer'))]
    for (const command of ['migrate up', 'migrate status', 'migrate plan']) {
      const { status, stderr } = await folder.run(command)
      assert.equal(status, 1)
      told.push(stderr)
    }
    for (const text of told) {
      assert.match(text, /contains tables of another program, such as "\w+"/, `${name}: ${text}`)
      assert.match(text, /create database gatelodge owner sharer.*create schema gatelodge authorization sharer/, text)
      assert.doesNotMatch(text, /internal:|grant/)
    }
  }

  await admin('create schema own authorization sharer; alter role sharer set search_path = own, public', 'shared_rails')
  await using folder = commandFolder({ GATELODGE_DATABASE: urlOf('shared_rails', 'sharer') })
  assert.equal(
    (await folder.run('migrate up')).status,
    0,
    'tables behind our schema in the search_path are not in the way',
  )
  assert.equal((await folder.run('user list')).status, 0)
})

test('read-only transactions by default are rejected at startup, with the commands that turn them off', async () => {
  const on = (value: string) => `set default_transaction_read_only = ${value}`
  const kinds: readonly { name: string; make: string[]; undo: RegExp }[] = [
    { name: 'by_role', make: [`alter role by_role ${on('on')}`], undo: /alter role by_role reset/ },
    {
      name: 'by_database',
      make: [`alter database by_database ${on('true')}`],
      undo: /alter database by_database reset/,
    },
    {
      name: 'by_both',
      make: [
        `alter role by_both in database by_both ${on('on')}`,
        `alter database by_both ${on('on')}`,
        `alter role by_both ${on('off')}`,
      ],
      undo: /alter database by_both reset default_transaction_read_only; alter role by_both in database by_both reset/,
    },
    { name: 'By All', make: [`alter role all ${on('on')}`], undo: /alter role all reset/ },
  ]
  const reset = 'set default_transaction_read_only = off'
  for (const { name, make, undo } of kinds)
    for (const isMigrated of [false, true]) {
      const quoted = `"${name}"`
      await admin(`${reset}; drop database if exists ${quoted}`)
      await admin(
        `${reset}; drop role if exists ${quoted}; create role ${quoted} login; create database ${quoted} owner ${quoted}`,
      )
      const url = urlOf(encodeURIComponent(name), encodeURIComponent(name))
      await using folder = commandFolder({ GATELODGE_DATABASE: url })
      if (isMigrated) assert.equal((await folder.run('migrate up')).status, 0)
      await admin(make.join('; '))
      const told = [await refusalOf(url), (await folder.run('migrate up')).stderr, await diagnosisOf(url)]
      for (const text of told) {
        assert.match(text, /default_transaction_read_only is on/, `${name}: ${text}`)
        assert.match(text, undo)
        assert.doesNotMatch(text, /cannot execute|internal:/)
      }
      const commands = /Run: (alter .*)/.exec(told[0] ?? '')?.[1] ?? ''
      await admin(`${reset}; ${commands}`)
      assert.equal((await folder.run('user list')).status, 0)
    }
})

test('a role without privileges on the tables is rejected at startup, with what to grant', async () => {
  await admin('create role worker login; create database working')
  await admin('grant all on database working to worker')
  const owner = openPostgres({ url: urlOf('working') })
  await migrateUp(owner)
  await owner.close()
  const none = await refusalOf(urlOf('working', 'worker'))
  assert.ok(none.includes('grant select, insert, update, delete on all tables in schema public to worker'), none)

  await admin('grant select, insert, update, delete on all tables in schema public to worker', 'working')
  await admin('revoke insert on events from worker', 'working')
  const one = await refusalOf(urlOf('working', 'worker'))
  assert.match(one, /lacks these privileges: insert on events\./)
  await admin('grant insert on events to worker; revoke select on sessions from worker', 'working')
  assert.match(await refusalOf(urlOf('working', 'worker')), /lacks these privileges: select on sessions\./)
  await admin('grant select on sessions to worker', 'working')

  const store = openPostgres({ url: urlOf('working', 'worker') })
  await admin('revoke select on users from worker', 'working')
  const error = await store.db
    .selectFrom('users')
    .select('id')
    .execute()
    .then(
      () => assert.fail('it may not'),
      (reason: unknown) => reason,
    )
  assert.ok(error instanceof AuthError && error.cause instanceof PostgresFailure, String(error))
  assert.deepEqual([error.code, error.cause.code], ['service_unavailable', '42501'])
  assert.match(error.cause.message, /permission denied for table users: .*schema.*gatelodge doctor/)
  await store.close()
})

test('defaults of the role for time zone, dates, isolation and bytes change nothing', async () => {
  await admin('create role odd login; create database oddly owner odd')
  for (const setting of [
    "timezone = 'Pacific/Kiritimati'",
    "datestyle = 'SQL, DMY'",
    "intervalstyle = 'sql_standard'",
    "bytea_output = 'escape'",
    "default_transaction_isolation = 'serializable'",
    "client_encoding = 'LATIN1'",
  ])
    await admin(`alter role odd set ${setting}`)
  const store = openPostgres({ url: urlOf('oddly', 'odd') })
  await migrateUp(store)
  for (const options of [{}, { unbounded: true }]) {
    const isolation = await store.transaction(async (db) => {
      const { rows } = await sql<{ value: string }>`select current_setting('transaction_isolation') as value`.execute(
        db,
      )
      return rows[0]?.value
    }, options)
    assert.equal(isolation, 'read committed')
  }
  const { rows } = await sql<{ text: string }>`select ${'Zoë ✓'}::text as text`.execute(store.migrationDb)
  assert.deepEqual(rows, [{ text: 'Zoë ✓' }])
  await store.close()

  await using folder = commandFolder({ GATELODGE_DATABASE: urlOf('oddly', 'odd') })
  await folder.json('admin create --email ada@example.com --password-stdin', 'quiet harbour 52')
  const { origin } = await folder.serve()
  const answer = await fetch(`${origin}/api/v1/auth/signin`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"email":"ada@example.com","password":"quiet harbour 52"}',
  })
  assert.equal(answer.status, 200)
})

test('a standby is rejected at startup, since no user could sign in', async () => {
  await server.standBy()
  const told = await refusalOf(server.url)
  assert.match(told, /is a read-only standby/)
  assert.match(told, /pg_promote/)
})
