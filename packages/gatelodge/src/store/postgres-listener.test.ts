import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import pg from 'pg'
import { type LogLine, recordingLog } from '../../test/support/deps.ts'
import { freshPostgresDatabase, stopOwnPostgres } from '../../test/support/postgres.ts'
import { tcpProxy } from '../../test/support/tcp-proxy.ts'
import { until } from '../../test/support/until.ts'
import type { UserId } from '../kernel/ids.ts'
import { systemRandom } from '../kernel/random.ts'
import { openPostgres } from './postgres.ts'
import { createPostgresListener } from './postgres-listener.ts'
import type { Notice, Store } from './store.ts'

after(stopOwnPostgres)

test('without listening, every call reports that rows may have changed', async () => {
  await using one = await listening({ listen: false })
  assert.equal(one.store.seesForeignCommits(), false)
  assert.notEqual(one.store.foreignVersion(), one.store.foreignVersion())
})

test('a listener receives the notices of other processes, and the version does not change', async () => {
  await using one = await listening()
  await using other = await listening({ url: one.url })
  const version = one.store.foreignVersion()

  await say(other.store, { users: ['u' as UserId], mail: true })
  await say(other.store, { mail: true })
  await until(() => one.heard.length === 2)
  assert.deepEqual(one.heard, [{ users: ['u'], mail: true }, { mail: true }])
  assert.equal(one.store.foreignVersion(), version)
})

test('a process receives its own notices with their users, for commits whose response was lost, but they do not wake mail delivery', async () => {
  await using one = await listening()
  await say(one.store, { users: ['u' as UserId], mail: true })
  await until(() => one.heard.length === 1)
  assert.deepEqual(one.heard, [{ users: ['u'] }])
})

test('a notice about too many users is sent for all users, and is short enough for PostgreSQL', async () => {
  await using one = await listening()
  await using other = await listening({ url: one.url })
  const users = Array.from({ length: 10_000 }, (_, index) => `00000000-0000-7000-8000-${index}` as UserId)
  await say(other.store, { users, mail: true })
  await say(other.store, { users: users.slice(0, 100) })
  await until(() => one.heard.length === 2)
  assert.deepEqual(one.heard, [{ users: 'all', mail: true }, { users: users.slice(0, 100) }])
})

test('a notice that cannot be parsed is treated as one about all users', async () => {
  await using one = await listening()
  const bad = ['', 'x', 'null', '1', '[]', '{}', '{"from":1}', '{"from":"x","users":[1]}', '{"from":"x","mail":1}']
  for (const text of bad) await command(one.url, `select pg_notify('gatelodge', '${text}')`)
  await until(() => one.heard.length === bad.length)
  assert.deepEqual(
    one.heard,
    bad.map(() => ({ users: 'all' })),
  )
  assert.equal(one.store.seesForeignCommits(), true)
})

test('a heartbeat is valid for one second after it was sent', async () => {
  await using one = await listening()
  const version = one.store.foreignVersion()
  one.pass(999)
  await until(() => one.heartbeatsSince(999) > 0)
  assert.equal(one.store.foreignVersion(), version, 'heartbeats without a gap')

  one.pass(1_000)
  assert.equal(one.store.seesForeignCommits(), false)
  const alone = one.store.foreignVersion()
  assert.notEqual(alone, one.store.foreignVersion())
  await until(() => one.store.seesForeignCommits())
  assert.ok(one.store.foreignVersion() > alone, 'rows read without a heartbeat may be outdated')
})

test('a slow heartbeat is valid for the rest of its second', async () => {
  const { url, release } = await freshPostgresDatabase()
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const gate = Promise.withResolvers<void>()
  let now = 0
  let isSent = false
  const listener = createPostgresListener({
    connection: { connectionString: url },
    async notify(payload) {
      if (isSent) return
      const text = payload()
      isSent = true
      await gate.promise
      await client.query("select pg_notify('gatelodge', $1)", [text])
    },
    monotonic: () => now,
    random: systemRandom,
  })
  listener.start(recordingLog([]))
  await until(() => isSent)
  now = 900
  gate.resolve()
  await until(() => listener.isHearing())
  now = 1_000
  assert.equal(listener.isHearing(), false)
  listener.stop()
  await client.end()
  await release()
})

test('a connection that accepts LISTEN but delivers nothing is not trusted, is replaced, and is logged once', async () => {
  await using proxy = await proxied('until-listening')
  await using one = await listening({ ...proxy, waits: false })
  await one.untilHeartbeat(2)
  assert.equal(one.store.seesForeignCommits(), false)

  for (const wanted of [2, 3]) {
    one.pass(10_001)
    await until(() => proxy.to.connections === wanted)
  }
  assert.equal(one.store.seesForeignCommits(), false)
  assert.deepEqual(
    one.logged.map(({ level }) => level),
    ['warn'],
  )
  proxy.to.delivers = 'all'
  one.pass(10_001)
  await until(() => one.store.seesForeignCommits())
  assert.deepEqual(
    one.logged.map(({ level }) => level),
    ['warn', 'info'],
  )
})

test('a connection that stalls is trusted for at most one second', async () => {
  await using proxy = await proxied('all')
  await using one = await listening(proxy)
  proxy.to.delivers = 'nothing'
  const before = one.heartbeats()
  one.pass(500)
  await until(() => one.heartbeats() > before)
  one.pass(500)
  assert.equal(one.store.seesForeignCommits(), false)
})

test('a listener on another database receives nothing and is not trusted', async () => {
  const elsewhere = await freshPostgresDatabase()
  await using one = await listening({ direct: elsewhere.url, waits: false })
  await one.untilHeartbeat(2)
  assert.equal(one.store.seesForeignCommits(), false)
  await one.close()
  await elsewhere.release()
})

test('a connection closed by the server is replaced, and rows read before are no longer trusted', async () => {
  await using one = await listening()
  const version = one.store.foreignVersion()
  await command(one.url, `select pg_terminate_backend(pid) from pg_stat_activity where ${listeners}`)
  await until(() => one.logged.length > 0)
  await until(() => one.store.seesForeignCommits())
  assert.ok(one.store.foreignVersion() > version)
})

test('a database that rejects connections is retried until it accepts them, and a failed heartbeat is followed by another', async () => {
  const { url, release } = await freshPostgresDatabase()
  let tries = 0
  let failures = 0
  const listener = createPostgresListener({
    connection: { connectionString: url },
    async notify(payload) {
      failures += 1
      if (failures === 1) throw new Error('no connection')
      await command(url, `select pg_notify('gatelodge', '${payload()}')`)
    },
    monotonic: () => performance.now(),
    random: {
      bytes(length) {
        tries += 1 // once for the process ID in notices, then once for the pause after each failure
        return systemRandom.bytes(length)
      },
    },
  })
  const inside = url.replace(/[^/]+$/, 'postgres')
  const name = new URL(url).pathname.slice(1)
  await command(inside, `alter database ${name} allow_connections false`)
  listener.start(recordingLog([]))
  await until(() => tries > 3)
  await command(inside, `alter database ${name} allow_connections true`)
  await until(() => listener.isHearing())
  assert.ok(failures > 1)
  listener.stop()
  await release()
})

test('a database that hangs receives a single heartbeat when it recovers', async () => {
  const { url, release } = await freshPostgresDatabase()
  let now = 0
  let sent = 0
  const listener = createPostgresListener({
    connection: { connectionString: url },
    notify() {
      sent += 1
      return new Promise(() => {})
    },
    monotonic: () => now,
    random: systemRandom,
  })
  listener.start(recordingLog([]))
  await until(() => sent === 1)
  const turns = performance.now() + 1_000
  await until(() => {
    now += 50
    return performance.now() > turns
  })
  assert.equal(sent, 1)
  listener.stop()
  await release()
})

test('heartbeats start once, and a closed store leaves no listener behind', async () => {
  const one = await listening()
  one.store.listen(recordingLog([]))
  const count = async () =>
    Number((await command(one.url, `select count(*) as n from pg_stat_activity where ${listeners}`)).rows[0]?.n)
  assert.equal(await count(), 1)
  await one.close()
  await until(async () => (await count()) === 0)
  assert.equal(one.store.seesForeignCommits(), false)
})

const listeners = "application_name = 'gatelodge-listener' and datname = current_database()"

interface ListenOptions {
  readonly url?: string
  readonly direct?: string
  readonly listen?: boolean
  /** Whether to wait until notices are received. */
  readonly waits?: boolean
}

/** Opens a store that listens, with a monotonic clock that moves only when told to. */
async function listening({ url, direct, listen = true, waits = listen }: ListenOptions = {}) {
  const database = url === undefined ? await freshPostgresDatabase() : { url, release: async () => {} }
  const logged: LogLine[] = []
  const heard: Notice[] = []
  const looks: number[] = []
  let now = 0
  let isOpen = true
  const monotonic = () => now
  const store = openPostgres({ url: database.url, ...(direct !== undefined && { direct }), monotonic })
  // Every heartbeat is a notice: a separate listener of this test counts them.
  const counter = new pg.Client({ connectionString: database.url })
  await counter.connect()
  counter.on('notification', ({ payload }) => {
    if (payload?.includes('"beat"')) looks.push(now)
  })
  await counter.query('listen gatelodge')

  store.onNotice((notice) => heard.push(notice))
  if (listen) store.listen(recordingLog(logged))
  if (waits) await until(() => store.seesForeignCommits())
  async function close(): Promise<void> {
    if (!isOpen) return
    isOpen = false
    await store.close()
    await counter.end()
    await database.release()
  }
  return {
    store,
    url: database.url,
    logged,
    heard,
    heartbeats: () => looks.length,
    heartbeatsSince: (at: number) => looks.filter((look) => look >= at).length,
    pass(ms: number) {
      now += ms
    },
    async untilHeartbeat(wanted: number) {
      await until(() => {
        now += 50
        return looks.length >= wanted
      })
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** Creates a database whose listener connects through a proxy. */
async function proxied(delivers: 'all' | 'until-listening') {
  const { url, release } = await freshPostgresDatabase()
  const to = await tcpProxy(url)
  to.delivers = delivers
  return {
    url,
    direct: to.via(url),
    to,
    async [Symbol.asyncDispose]() {
      await to.close()
      await release()
    },
  }
}

function say(store: Store, notice: Notice): Promise<void> {
  return store.transaction((db) => store.notify(db, notice))
}

async function command(url: string, text: string): Promise<pg.QueryResult> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return await client.query(text)
  } finally {
    await client.end()
  }
}
