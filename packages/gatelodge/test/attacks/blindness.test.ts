import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KyselyPlugin } from 'kysely'
import { createAccount } from '../../src/admin/users/create-user.ts'
import { signUp } from '../../src/flows/sign-up/sign-up.ts'
import { systemActor } from '../../src/kernel/actor.ts'
import type { Store } from '../../src/store/store.ts'
import { type Ask, forEachDatabase, type Person, type TestApp, type Told, testApp } from '../support/app.ts'
import { type TableName, tables } from '../support/attack.ts'

/** Columns with an id, a hash, a sealed text or an instant: only whether they are set, and their length, may be compared. */
const opaque = /(?:^id$|_id$|hash|sealed|key|place|_at$|^at$|^since$|blocked_until)/
const known = 'known1@example.com'
const unknown = 'ghost1@example.com'

type Row = Readonly<Record<string, unknown>>

function shapeOf(row: Row): string {
  const shown = Object.entries(row).map(([column, value]) => {
    const seen =
      opaque.test(column) && value !== null ? `set, ${typeof value === 'string' ? value.length : 'number'}` : value
    return [column, seen === known || seen === unknown || column === 'ip' ? 'hidden' : seen]
  })
  return JSON.stringify(Object.fromEntries(shown))
}

/** Returns the rows of every table that an action adds or changes, as far as an attacker may distinguish them. */
async function traceOf(
  app: TestApp,
  action: () => Promise<Told>,
): Promise<{ told: Told; rows: Partial<Record<TableName, string[]>> }> {
  const before = await snapshot(app)
  const told = await action()
  const after = await snapshot(app)
  const rows: Partial<Record<TableName, string[]>> = {}
  for (const table of tables) {
    const old = new Set(before[table].map((row) => JSON.stringify(row)))
    const fresh = after[table].filter((row) => !old.has(JSON.stringify(row))).map(shapeOf)
    if (fresh.length > 0 || after[table].length !== before[table].length) rows[table] = fresh.sort()
  }
  return { told, rows }
}

async function snapshot(app: TestApp): Promise<Record<TableName, Row[]>> {
  const entries = await Promise.all(tables.map(async (table) => [table, await app.rows(table)] as const))
  return Object.fromEntries(entries) as Record<TableName, Row[]>
}

/** Returns a response as it appears on the wire, except for what is new each time. */
function visible({ status, headers, setCookies, json, text }: Told): unknown {
  const named = [...headers].filter(([name]) => !['x-request-id', 'date', 'set-cookie'].includes(name))
  const cookies = setCookies.map((cookie) => cookie.replace(/=[^;]*/, (value) => `=${'x'.repeat(value.length)}`))
  return { status, named, cookies, length: text.length, body: { ...json, instance: null } }
}

async function setting(
  engine: 'sqlite' | 'postgres',
): Promise<{ app: TestApp; mallory: Person; bearer: string; other: string }> {
  const app = await testApp({ engine })
  await app.user({ email: known, username: 'known1' })
  const [mallory, eve] = [await app.user(), await app.user()]
  const { access: bearer } = await app.tokens(mallory)
  await app.composition.deliverMail()
  app.clock.advance(3 * 86_400_000) // the budgets used by the setup have expired
  const { access } = await app.tokens(mallory)
  const { access: other } = await app.tokens(eve)
  return { app, mallory, bearer: access || bearer, other }
}

forEachDatabase('blindness', (engine) => {
  const password = 'planted harbour 9'
  for (const [name, ask] of [
    ['sign-up', (app, email, ask) => app.post('/signup', { email, password }, ask)],
    [
      'sign-up with names',
      (app, email, ask, round) => {
        const username = `${email === known ? 'wanted1' : 'wanted2'}-${round}`
        return app.post('/signup', { email, password, username, fullname: 'Ada King' }, ask)
      },
    ],
    ['forgot', (app, email, ask) => app.post('/forgot-password', { email }, ask)],
    ['resend', (app, email, ask) => app.post('/verify-email/resend', { email }, ask)],
    [
      'email change',
      (app, email, ask) => app.post('/change-email', { new_email: email, password: 'quiet harbour 52' }, ask),
    ],
  ] as const satisfies readonly (readonly [
    string,
    (app: TestApp, email: string, ask: Ask, round: number) => Promise<Told>,
  ])[]) {
    test(`${name}: a known and an unknown address get the same answer and leave the same rows`, async () => {
      const { app, bearer, other } = await setting(engine)
      await using _ = app
      // Two accounts ask, since requests of one are counted. Each round starts with the rows of earlier ones: emails run out, and so do names to reserve.
      for (const round of [1, 2, 3, 4, 5]) {
        const seen = await traceOf(app, () => ask(app, known, { bearer, ip: '203.0.113.1' }, round))
        const unseen = await traceOf(app, () => ask(app, unknown, { bearer: other, ip: '203.0.113.2' }, round))
        assert.ok(seen.told.status < 300, seen.told.text)
        assert.deepEqual(visible(seen.told), visible(unseen.told), `round ${round}`)
        const same = (rows: typeof seen.rows) =>
          JSON.parse(JSON.stringify(rows).replaceAll('wanted1', 'wanted').replaceAll('wanted2', 'wanted'))
        assert.deepEqual(same(seen.rows), same(unseen.rows), `round ${round}`)
        assert.ok(Object.keys(seen.rows).length >= 2, 'something was written')
      }
    })
  }

  test('sign-in: known and unknown addresses and usernames get the same answer and add the same rows', async () => {
    const { app } = await setting(engine)
    await using _ = app
    for (const [mine, other] of [
      [{ email: known }, { email: unknown }],
      [{ identifier: known }, { identifier: unknown }],
      [{ username: 'known1' }, { username: 'ghost1' }],
      [{ identifier: 'known1' }, { identifier: 'ghost1' }],
    ]) {
      const seen = await traceOf(app, () => app.post('/signin', { ...mine, password: 'wrong harbour' }))
      const unseen = await traceOf(app, () => app.post('/signin', { ...other, password: 'wrong harbour' }))
      assert.deepEqual([seen.told.status, seen.told.code], [401, 'invalid_credentials'])
      assert.deepEqual(visible(seen.told), visible(unseen.told))
      // The audit log says whose failure it is, and keeps the user agent for that owner; nothing else differs.
      const counts = ({ rows }: typeof seen) => Object.entries(rows).map(([table, added]) => [table, added.length])
      assert.deepEqual(counts(seen), counts(unseen))
      const plain = (row = '') =>
        row
          .replace('wrong_password', 'unknown_user')
          .replace('"user_id":"set, 36"', '"user_id":null')
          .replace('"user_agent":"tests"', '"user_agent":null')
      assert.equal(plain(seen.rows.events?.[0]), plain(unseen.rows.events?.[0]))
    }
  })

  test('a known email address reveals nothing about a username: responses and rows are the same as for an unused one', async () => {
    const { app, mallory } = await setting(engine)
    await using _ = app
    // Their own device cookie must not tell them more than no cookie.
    const own = await app.post('/signin', { email: mallory.email, password: mallory.password })
    const cookies = { cookie: `gatelodge-device=${own.cookie('gatelodge-device')}` }
    for (let round = 0; round < 12; round += 1)
      await app.post('/signin', { email: known, password: 'wrong harbour' }, { ip: `203.0.113.${round}` })

    for (let round = 0; round < 14; round += 1) {
      const ask = { ip: `198.51.100.${round}`, ...(round % 2 && { headers: cookies }) }
      const seen = await traceOf(app, () => app.post('/signin', { username: 'known1', password: 'wrong' }, ask))
      const unseen = await traceOf(app, () => app.post('/signin', { username: 'ghost1', password: 'wrong' }, ask))
      assert.deepEqual(visible(seen.told), visible(unseen.told), `round ${round}`)
      const counts = ({ rows }: typeof seen) => Object.entries(rows).map(([table, added]) => [table, added.length])
      assert.deepEqual(counts(seen), counts(unseen), `round ${round}`)
    }
    for (const round of [1, 2]) {
      const ask = (email: string, ip: string) => app.post('/forgot-password', { email }, { headers: cookies, ip })
      const seen = await traceOf(app, () => ask(known, '203.0.113.91'))
      const unseen = await traceOf(app, () => ask(unknown, '203.0.113.92'))
      assert.deepEqual(seen.rows, unseen.rows, `round ${round}`)
    }
  })

  test('a taken and a reserved username are told alike, and a free one says nothing of addresses', async () => {
    const { app } = await setting(engine)
    await using _ = app
    await app.post('/signup', { email: 'waits@example.com', password, username: 'waits1' })
    const taken = await app.post('/signup', { email: unknown, password, username: 'known1' })
    const reserved = await app.post('/signup', { email: unknown, password, username: 'waits1' })
    assert.deepEqual(visible(taken), visible(reserved))
    const own = await app.post('/signup', { email: known, password, username: 'known1' })
    assert.deepEqual(visible(own), visible(taken))
    // Neither the address that has the reservation nor one with an account gets a different answer.
    for (const email of ['waits@example.com', 'WAITS@Example.com', known])
      assert.deepEqual(visible(await app.post('/signup', { email, password, username: 'Waits1' })), visible(taken))
  })

  test('what became of an address is told by none of the names that sign-ups of it asked for, also to their browser', async () => {
    await using app = await testApp({ engine })
    const fates = {
      waits: async () => {},
      known: async () => {},
      confirmed: async (email) => {
        const { token } = await app.lastMail(email)
        const told = await app.post('/verify-email', { token, password: 'the owner harbour 1' })
        assert.equal(told.status, 200)
      },
      made: async (email) => {
        await createAccount(app.deps, systemActor('command', 'test'), { email, password })
      },
      moved: async (email) => {
        const owner = await app.user()
        const { access } = await app.tokens(owner)
        await app.post('/change-email', { new_email: email, password: owner.password }, { bearer: access })
        const { token } = await app.lastMail(email)
        assert.equal((await app.post('/change-email/confirm', { token }, { bearer: access })).status, 200)
      },
    } as const satisfies Record<string, (email: string) => Promise<void>>
    await app.user({ email: 'known@fate.example', username: 'fate-owner' })
    app.clock.advance(3 * 86_400_000)

    const trails = new Map<string, unknown[]>()
    for (const [fate, happens] of Object.entries(fates) as [keyof typeof fates, (email: string) => Promise<void>][]) {
      const email = `${fate}@fate.example`
      const ip = `203.0.113.${trails.size}`
      const planted = await app.post('/signup', { email, password, username: `${fate}-planted` }, { ip })
      const headers = { cookie: `gatelodge-signup=${planted.cookie('gatelodge-signup')}` }
      // Its owner also signs up, from another browser, and confirms that sign-up.
      await app.post('/signup', { email, password: 'the owner harbour 1', username: `${fate}-chosen` })
      await happens(email)
      const trail: unknown[] = []
      const look = async () => {
        for (const name of ['planted', 'chosen'])
          for (const ask of [{ ip }, { ip, headers }]) {
            trail.push((await app.get(`/username-available?username=${fate}-${name}`, ask)).json)
            for (const other of ['else@fate.example', email]) {
              const isHeld = name === 'planted' && 'headers' in ask
              const told = isHeld
                ? undefined
                : await app.post('/signup', { email: other, password, username: `${fate}-${name}` }, ask)
              trail.push(told && visible(told))
            }
          }
      }
      await look()
      // How many more names the address may reserve.
      for (const name of ['third', 'fourth']) {
        trail.push(visible(await app.post('/signup', { email, password, username: `${fate}-${name}` }, { ip })))
        trail.push((await app.get(`/username-available?username=${fate}-${name}`, { ip })).json)
      }
      app.clock.advance(1000)
      const again = await app.post('/signup', { email, password, username: `${fate}-planted` }, { ip, headers })
      trail.push(visible(again))
      await look()
      trails.set(fate, JSON.parse(JSON.stringify(trail).replaceAll(fate, 'fate')))
    }
    for (const [fate, trail] of trails) assert.deepEqual(trail, trails.get('waits'), fate)
    const free = (trails.get('waits') ?? []).filter((seen) => JSON.stringify(seen) === '{"available":true}')
    assert.equal(free.length, 2, 'the name that this browser holds, and the fourth')
  })

  test('a sign-up runs the same statements whether or not its address has an account, also beyond the third name', async () => {
    const { app } = await setting(engine)
    await using _ = app
    const { store } = app.deps
    const statementsOf = async (email: string, username: string, ip: string) => {
      const statements: string[] = []
      const noting: KyselyPlugin = {
        transformQuery({ node, queryId }) {
          statements.push(store.migrationDb.getExecutor().compileQuery(node, queryId).sql)
          return node
        },
        transformResult: async ({ result }) => result,
      }
      const transaction: Store['transaction'] = (work) => store.transaction((db) => work(db.withPlugin(noting)))
      const actor = { ...systemActor('job', 'test'), kind: 'request', ip } as const
      const noted = { ...app.deps, store: { ...store, transaction } }
      await signUp(noted, actor, { email, password, username })
      return statements
    }
    for (const round of [1, 2, 3, 4, 5]) {
      const seen = await statementsOf(known, `seen${round}`, '203.0.113.1')
      assert.deepEqual(seen, await statementsOf(unknown, `unseen${round}`, '203.0.113.2'), `round ${round}`)
      assert.ok(seen.length >= 6)
    }
  })
})
