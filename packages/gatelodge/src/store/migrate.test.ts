import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { sql } from 'kysely'
import { forEachDatabase } from '../../test/support/app.ts'
import { bin, commandFolder } from '../../test/support/cli.ts'
import { bareDatabase, openLocation } from '../../test/support/databases.ts'
import { AuthError } from '../kernel/errors.ts'
import { migrateUp, migrationPlan, migrationStatus } from './migrate.ts'
import { type Migration, migrations } from './migrations/index.ts'
import type { Store } from './store.ts'

const names = Object.keys(migrations)
const old = Object.fromEntries(Object.entries(migrations).slice(0, 1))

forEachDatabase('migrations', (engine) => {
  test('when ten programs migrate simultaneously, each step is applied once and all succeed', async () => {
    for (const before of [{}, old]) {
      const { location, release } = await bareDatabase(engine)
      const stores = await Promise.all(Array.from({ length: 10 }, () => openLocation(location)))
      await migrateUp(firstOf(stores), before)

      const applied = (await Promise.all(stores.map((store) => migrateUp(store)))).flat()
      assert.deepEqual(applied, names.slice(Object.keys(before).length))
      const status = await migrationStatus(firstOf(stores))
      assert.ok(status.every(({ appliedAt }) => appliedAt !== null))
      for (const store of stores) await store.close()
      await release()
    }
  })

  test('processes that migrate simultaneously all succeed', async () => {
    const { location, release } = await bareDatabase(engine)
    const ran = await Promise.all(Array.from({ length: 3 }, () => migrateInProcess(location)))
    assert.deepEqual(
      ran.flatMap(({ applied }) => applied),
      names,
    )
    await release()
  })

  test('a second process waits until a migration has finished and then has nothing to do', async () => {
    const { location, release } = await bareDatabase(engine)
    const [one, two, watcher] = await Promise.all([1, 2, 3].map(() => openLocation(location)))
    if (!one || !two || !watcher) return assert.fail('three stores')
    const { promise: mayEnd, resolve: end } = Promise.withResolvers<void>()
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>()
    const slow: Migration = {
      async up(db) {
        begin()
        await mayEnd
        await db.schema.createTable('slow').addColumn('id', 'integer').execute()
      },
    }

    const steps = { ...migrations, '8000-slow': slow }
    const winner = migrateUp(one, steps)
    await begun
    let isDone = false
    const waiting = migrateUp(two, steps).finally(() => {
      isDone = true
    })
    for (let asked = 0; asked < 100; asked += 1) await migrationStatus(watcher, steps) // by now two programs could have applied the same step
    assert.equal(isDone, false)
    end()
    assert.deepEqual(await winner, Object.keys(steps))
    assert.deepEqual(await waiting, [])
    for (const store of [one, two, watcher]) await store.close()
    await release()
  })

  test('a failed step leaves the old schema unchanged for the next attempt', async () => {
    for (const before of [{}, old]) {
      const { location, release } = await bareDatabase(engine)
      const store = await openLocation(location)
      await migrateUp(store, before)
      const tables = await tablesOf(store)

      const failing: Migration = {
        async up(db) {
          await db.schema.createTable('half').addColumn('id', 'integer').execute()
          await sql`insert into nowhere (id) values (1)`.execute(db)
        },
      }
      await assert.rejects(migrateUp(store, { ...migrations, '8000-failing': failing }), /nowhere/)
      assert.deepEqual(await tablesOf(store), tables)

      assert.deepEqual(await migrateUp(store), names.slice(Object.keys(before).length))
      await store.close()
      await release()
    }
  })

  test('the plan is the SQL that brings the schema up to date, from nothing and from an older version', async () => {
    for (const before of [{}, old]) {
      const planned = await bareDatabase(engine)
      const store = await openLocation(planned.location)
      await migrateUp(store, before)
      const plan = await migrationPlan(store)
      assert.deepEqual(
        plan.map(({ name }) => name),
        names.slice(Object.keys(before).length),
      )
      for (const statement of plan.flatMap((step) => step.sql)) await sql.raw(statement).execute(store.migrationDb)

      const migrated = await bareDatabase(engine)
      const other = await openLocation(migrated.location)
      await migrateUp(other)
      const byPlan = await columnsOf(store)
      assert.deepEqual(byPlan, await columnsOf(other))
      assert.ok(byPlan.length > 50)
      for (const end of [store.close, other.close, planned.release, migrated.release]) await end()
    }
  })

  test('server and commands reject the database of a newer version and do not change it', async () => {
    const { location, release } = await bareDatabase(engine)
    const store = await openLocation(location)
    await migrateUp(store, { ...migrations, '9999-future': { up: async () => {} } })
    await store.close()

    await using folder = commandFolder({ GATELODGE_DATABASE: location })
    for (const command of ['serve --listen 127.0.0.1:0', 'user list', 'migrate up', 'migrate status', 'migrate plan']) {
      const { status, stdout, stderr } = await folder.run(command)
      assert.equal(status, 1, command)
      assert.equal(stdout, '')
      assert.match(stderr, /migrated by a newer version of Gatelodge \(migration "9999-future"\)/, command)
    }
    await release()
  })
})

test('a server older than PostgreSQL 15 is rejected with a clear message', async () => {
  const { location } = await bareDatabase('postgres')
  const url = new URL(location)
  const proxy = await proxyThatSaysVersion(new URL(location), '140013')
  url.port = String(proxy.port)
  const store = await openLocation(url.href)
  await assert.rejects(
    migrateUp(store),
    (error) => error instanceof AuthError && /is PostgreSQL 14; Gatelodge requires 15 or newer/.test(error.detail),
  )
  await store.close()
  proxy.close()
})

function firstOf(stores: readonly Store[]): Store {
  return stores[0] ?? assert.fail('no store')
}

async function migrateInProcess(location: string): Promise<{ applied: string[] }> {
  const child = spawn(process.execPath, [bin, 'migrate', 'up', '--json'], {
    env: { ...process.env, GATELODGE_DATABASE: location },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [stdout, stderr, [status]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')])
  assert.equal(status, 0, stderr)
  return JSON.parse(stdout)
}

async function tablesOf(store: Store): Promise<string[]> {
  return (await store.migrationDb.introspection.getTables()).map(({ name }) => name).sort()
}

async function columnsOf(store: Store): Promise<string[]> {
  const tables = await store.migrationDb.introspection.getTables()
  return tables
    .filter(({ name }) => name !== 'schema_migrations')
    .flatMap(({ name, columns }) =>
      columns.map((column) => `${name}.${column.name} ${column.dataType} ${column.isNullable}`),
    )
    .sort()
}

/** Forwards everything, but replaces the server's version number with another one of the same length. */
async function proxyThatSaysVersion(to: URL, version: string): Promise<{ port: number; close(): void }> {
  const sockets: Socket[] = []
  const server = createServer((client) => {
    const upstream = connect(Number(to.port), to.hostname)
    sockets.push(client, upstream)
    for (const socket of [client, upstream]) socket.on('error', () => {}) // the test cuts these connections when it ends
    client.pipe(upstream)
    upstream.on('data', (bytes) =>
      client.write(Buffer.from(bytes.toString('latin1').replace(/(?<!\d)1[5-9]\d{4}(?!\d)/, version), 'latin1')),
    )
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    close() {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}
