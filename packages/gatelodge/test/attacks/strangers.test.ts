import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rotateKeys } from '../../src/admin/keys/manage-keys.ts'
import { requestPasswordReset } from '../../src/flows/password-reset/request-reset.ts'
import { cleanUp } from '../../src/jobs/clean-up.ts'
import { storeCountedEvents, tellOfCeiling } from '../../src/jobs/counted-events.ts'
import { systemActor } from '../../src/kernel/actor.ts'
import { day, hour, minute } from '../../src/kernel/clock.ts'
import type { EventName } from '../../src/kernel/events.ts'
import { ceiling } from '../../src/kernel/strangers/strangers.ts'
import { type Ask, basic, forEachDatabase, type TestApp, testApp } from '../support/app.ts'
import { likeness, tally } from '../support/attack.ts'

const wrong = 'wrong harbour'
const network = (index: number): Ask => ({ ip: `203.0.113.${index % 250}` })
const elsewhere = (index: number): Ask => ({
  ip: `2001:db8:${(index >> 16).toString(16)}:${(index & 0xffff).toString(16)}::1`,
})

function guessClient(app: TestApp, ask: Ask) {
  const headers = { authorization: basic('client_RG9lc05vdEV4aXN0SGVyZQ', 'x'.repeat(43)) }
  return app.form('/oauth2/token', { grant_type: 'client_credentials' }, { ...ask, headers })
}

async function rowsOf(app: TestApp, name: EventName) {
  return (await app.rows('events')).filter((row) => row.name === name)
}

/** Returns what was counted in past minutes, according to its rows. */
async function counted(app: TestApp) {
  app.clock.advance(minute)
  await storeCountedEvents(app.deps)
  const rows = await rowsOf(app, 'events.counted')
  return rows.map(({ user_id, ip, data }) => ({ user_id, ip, ...(JSON.parse(String(data)) as { count: number }) }))
}

/** Uses up the rows that events with a name may have. */
function drainEvents(app: TestApp, name: EventName) {
  for (let index = 0; app.deps.strangers.events.mayStore(name, `10.${index >> 8}.${index & 255}.1`); ) index += 1
}

function drainCounters(app: TestApp) {
  while (app.deps.strangers.mayAddCounter(true)) app.deps.strangers.counterAdded()
}

/** Sends requests that add rows, from new networks of the same owner, until that owner is rejected. */
function drainAsks(app: TestApp) {
  for (let index = 0; app.deps.strangers.ask(`2001:db8:${index.toString(16)}:1::`, 1) === 0; ) index += 1
}

forEachDatabase('rows by strangers', (engine) => {
  test('of refused clients ten rows for a network and minute say each its own, and one row how many more there were', async () => {
    await using app = await testApp({ engine })
    for (let round = 0; round < 25; round += 1) await guessClient(app, network(round))
    for (let round = 0; round < 12; round += 1) await guessClient(app, { ip: `2001:db8:7:${round}::1` })
    const rows = await rowsOf(app, 'service_client.refused')
    assert.equal(rows.length, 20)
    assert.deepEqual(new Set(rows.map(({ user_agent }) => user_agent)), new Set([null]))

    const from = new Date(app.clock.now()).toISOString()
    const each = { user_id: null, event: 'service_client.refused', from }
    assert.deepEqual(await counted(app), [
      { ...each, ip: '203.0.113.0/24', count: 15 },
      { ...each, ip: '2001:db8:7::/48', count: 2 },
    ])
    await guessClient(app, network(1))
    assert.equal((await rowsOf(app, 'service_client.refused')).length, 21)
  })

  test('events from ever new networks stop to be rows, and none is lost', async () => {
    await using app = await testApp({ engine })
    drainEvents(app, 'service_client.refused')
    for (let round = 0; round < 130; round += 1) await guessClient(app, { ip: `198.51.${round}.1` })
    assert.equal((await rowsOf(app, 'service_client.refused')).length, 0)
    const rows = await counted(app)
    assert.equal(
      rows.reduce((sum, { count }) => sum + count, 0),
      130,
    )
    assert.equal(rows.length, 101)
  })

  test('a known and an unknown name leave the same rows, also beyond the tenth and beyond the ceiling', async () => {
    const trace = async (isKnown: boolean, drained: boolean) => {
      await using app = await testApp({ engine })
      const ada = await app.user({ email: 'ada@example.com' })
      const email = isKnown ? ada.email : 'ghost@example.com'
      const tables = ['events', 'limit_counters', 'mails'] as const
      if (drained) drainEvents(app, 'signin.failed')
      if (drained) drainCounters(app)
      const before = await Promise.all(tables.map(async (table) => (await app.rows(table)).length))
      const answers = []
      for (let round = 0; round < 9; round += 1)
        await app.post('/signin', { email: `p${round}@example.com`, password: wrong }, network(round))
      for (let round = 0; round < 12; round += 1)
        answers.push(likeness(await app.post('/signin', { email, password: wrong }, network(round))))
      const after = await Promise.all(tables.map(async (table) => (await app.rows(table)).length))
      const told = await counted(app)
      return {
        answers,
        rows: after.map((rows, index) => rows - (before[index] ?? 0)),
        counts: told.map(({ count }) => count),
      }
    }
    for (const drained of [false, true]) {
      const [known, unknown] = [await trace(true, drained), await trace(false, drained)]
      assert.deepEqual(known.answers, unknown.answers)
      assert.deepEqual(known.rows, unknown.rows)
      const sum = (counts: number[]) => counts.reduce((total, count) => total + count, 0)
      assert.equal(sum(known.counts), sum(unknown.counts))
      assert.equal(known.rows[0], drained ? 1 : 11) // one that the delay began
    }
  })

  test('events counted for an account appear in the activity of its owner', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    drainEvents(app, 'signin.failed')
    for (let round = 0; round < 4; round += 1)
      await app.post('/signin', { email: ada.email, password: wrong }, { ip: `198.51.${round}.1` })
    await counted(app)
    const { access } = await app.tokens(ada)
    const { json } = await app.get('/me/events', { bearer: access })
    const { name, data } = json.events.find((event: { name: string }) => event.name === 'events.counted')
    assert.deepEqual([name, data.event, data.count], ['events.counted', 'signin.failed', 4])
  })

  test('what was counted is stored once, by a later run after a failure, and at the end', async () => {
    const app = await testApp({ engine })
    for (let round = 0; round < 13; round += 1) await guessClient(app, network(round))
    await storeCountedEvents(app.deps)
    assert.equal((await rowsOf(app, 'events.counted')).length, 0)
    const broken = { ...app.deps.store, transaction: () => Promise.reject(new Error('away')) }
    await assert.rejects(storeCountedEvents({ ...app.deps, store: broken }, { all: true }), /away/)
    await storeCountedEvents(app.deps, { all: true })
    await storeCountedEvents(app.deps, { all: true })
    assert.deepEqual(
      (await rowsOf(app, 'events.counted')).map(({ data }) => JSON.parse(String(data)).count),
      [3],
    )
    await app[Symbol.asyncDispose]()
  })

  test('events of operators, jobs and people who are known are rows, however many strangers there are', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const { access } = await app.tokens(ada)
    const { headers } = await app.client()
    for (const name of ['signin.failed', 'limit.exceeded', 'password_reset.requested'] as const) drainEvents(app, name)
    for (let round = 0; round < 15; round += 1) {
      await app.form('/oauth2/token', { grant_type: 'client_credentials' }, { headers })
      await app.patch('/me', { first_name: `Ada ${round}` }, { bearer: access })
    }
    for (let round = 0; round < 6; round += 1)
      await app.post('/reauthenticate', { password: wrong }, { bearer: access })
    await rotateKeys(app.deps, systemActor('command', 'test'), { compromised: false })
    await requestPasswordReset(app.deps, systemActor('library', 'test'), { email: ada.email })
    const names = tally((await app.rows('events')).map(({ name }) => String(name)))
    assert.partialDeepStrictEqual(names, {
      'service_token.issued': 15,
      'user.updated': 15,
      'reauthentication.failed': 5,
      'limit.exceeded': 1, // the proofs in a session
      'key.created': 2,
      'password_reset.requested': 1,
    })
    assert.equal(names['events.counted'], undefined)
  })

  test('events of strangers about no account go after a week, those about an account and those of operators stay', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const { headers } = await app.client()
    await app.form('/oauth2/token', { grant_type: 'client_credentials' }, { headers })
    for (let round = 0; round < 12; round += 1) await guessClient(app, network(round))
    await app.post('/signin', { email: ada.email, password: wrong })
    await app.post('/signin', { email: 'ghost@example.com', password: wrong })
    await app.post('/forgot-password', { email: 'ghost@example.com' })
    await app.mails('')
    await counted(app)
    app.clock.advance(7 * day)
    await cleanUp(app.deps)
    const names = tally(
      (await app.rows('events')).map(({ name, user_id }) => `${name}${user_id ? '' : ' without a user'}`),
    )
    assert.deepEqual(names, {
      'email.verified': 1,
      'key.created without a user': 1,
      'mail.delivered without a user': 2,
      'service_client.created without a user': 1,
      'service_token.issued without a user': 1,
      'signin.failed': 1,
      'user.created': 1,
    })
  })

  test('an email that reached no one is deleted after an hour, a delivered one after a week', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    await app.post('/forgot-password', { email: 'ghost@example.com' })
    await app.mails(ada.email)
    const states = async () => tally((await app.rows('mails')).map(({ state }) => String(state)))
    app.clock.advance(hour - 1)
    await cleanUp(app.deps)
    assert.deepEqual(await states(), { delivered: 2, dropped: 1 })
    app.clock.advance(1)
    await cleanUp(app.deps)
    assert.deepEqual(await states(), { delivered: 2 })
  })

  test('a flood of requests for mails or sign-ups is refused to its own network, for every address, and the others go on', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user({ email: 'ada@example.com' })
    drainAsks(app)
    const rows = async () => (await app.rows('mails')).length + (await app.rows('pending_signups')).length
    const before = await rows()
    const asks = [
      ['/forgot-password', (email: string) => ({ email })],
      ['/verify-email/resend', (email: string) => ({ email })],
      ['/signup', (email: string) => ({ email, password: 'quiet harbour 52' })],
    ] as const
    for (const [path, bodyOf] of asks) {
      const answers = []
      for (const email of [ada.email, 'ghost@example.com']) {
        const told = await app.post(path, bodyOf(email), elsewhere(9))
        assert.deepEqual([told.status, told.code], [429, 'rate_limited'], path)
        assert.match(told.headers.get('retry-after') ?? '', /^[1-9]\d*$/)
        answers.push(likeness(told))
      }
      assert.deepEqual(answers[0], answers[1])
    }
    assert.equal(await rows(), before)
    for (const [path, bodyOf] of asks)
      assert.ok((await app.post(path, bodyOf('grace@example.com'), { ip: '198.51.100.7' })).status < 300, path)
    app.clock.advance(hour)
    for (const [path, bodyOf] of asks)
      assert.ok((await app.post(path, bodyOf('g@example.com'), elsewhere(9))).status < 300, path)
    assert.equal(app.deps.strangers.tally().asks, 6)
  })

  test('a browser that signed in before asks as long as it did not ask too much, one that did not has no right by any cookie', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const { session: _ } = await app.tokens(ada)
    const signedIn = await app.post('/signin', { email: ada.email, password: ada.password })
    const cookie = `gatelodge-device=${signedIn.cookie('gatelodge-device')}`
    drainAsks(app)
    const askBy = (headers: Record<string, string>, round = 9) =>
      app.post('/forgot-password', { email: ada.email }, { ...elsewhere(round), headers })
    assert.equal((await askBy({})).status, 429)
    assert.equal((await askBy({ cookie: `gatelodge-device=${'A'.repeat(22)}.${'B'.repeat(43)}` })).status, 429)
    const nobodys = `${'A'.repeat(22)}.${app.deps.keyring.mac('device', 'A'.repeat(22))}`
    assert.equal((await askBy({ cookie: `gatelodge-device=${nobodys}` })).status, 429)
    assert.equal((await askBy({ cookie })).status, 200)
    const statuses = []
    for (let round = 0; round < 200; round += 1) statuses.push((await askBy({ cookie }, 100 + round)).status)
    const { 200: served = 0 } = tally(statuses)
    assert.ok(served > 100 && served < ceiling.deviceAsks.most, `${served} served`)
  })

  test('without room for counters they are kept in memory: the same guesses are refused, whatever else is counted', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    await app.post('/signin', { email: ada.email, password: wrong }, { ip: '198.51.100.1' })
    drainCounters(app)
    const rows = async () => (await app.rows('limit_counters')).length
    const before = await rows()
    for (const email of ['ghost@example.com', ada.email]) {
      const codes = []
      for (let round = 0; round < 14; round += 1)
        codes.push((await app.post('/signin', { email, password: wrong }, elsewhere(round << 16))).code)
      const left = email === ada.email ? 9 : 10
      assert.deepEqual(tally(codes), { invalid_credentials: left, rate_limited: 14 - left })
    }
    // Ada's count had a row and continued in it; those that share a row for consecutive failures have at most one more.
    assert.ok((await rows()) - before <= 1, `${(await rows()) - before} rows`)

    const { names } = app.deps.strangers
    for (let other = 0; other < 30_000; other += 1)
      names.add(app.deps.keyring.mac('limit', `flood ${other}`), app.clock.now(), day)
    assert.equal(
      (await app.post('/signin', { email: 'ghost@example.com', password: wrong }, elsewhere(1))).code,
      'rate_limited',
    )
    const codes = []
    for (let round = 0; round < 33; round += 1)
      codes.push((await app.post('/signin', { email: `q${round}@example.com`, password: wrong }, network(1))).code)
    assert.deepEqual(tally(codes), { invalid_credentials: 30, rate_limited: 3 })
  })

  test('a count in memory becomes a row when there is room, with what it had, and a success ends it', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const signIn = (password: string, round: number) =>
      app.post('/signin', { email: ada.email, password }, elsewhere(round << 16))
    drainCounters(app)
    for (let round = 0; round < 6; round += 1) await signIn(wrong, round)
    assert.equal((await signIn(ada.password, 6)).status, 200)
    for (let round = 0; round < 6; round += 1) assert.equal((await signIn(wrong, round)).status, 401)
    app.clock.advance(10 * minute)
    const codes = []
    for (let round = 0; round < 6; round += 1) codes.push((await signIn(wrong, round)).code)
    assert.deepEqual(tally(codes), { invalid_credentials: 4, rate_limited: 2 })
    assert.ok((await app.rows('limit_counters')).some(({ count }) => count === 10))
  })

  test('whatever was counted, kept or rejected is reported in the log, once', async () => {
    await using app = await testApp({ engine })
    const tell = tellOfCeiling(app.deps)
    await tell()
    for (let round = 0; round < 12; round += 1) await guessClient(app, network(round))
    drainAsks(app)
    drainCounters(app)
    await app.post('/forgot-password', { email: 'ghost@example.com' }, elsewhere(1))
    await tell()
    await tell()
    const lines = app.logged.filter(
      ({ message }) => message === 'strangers cause more events, counters or mails than are stored',
    )
    assert.deepEqual(
      lines.map(({ level, events, counters, refused }) => ({ level, events, counters, refused })),
      [{ level: 'warn', events: 2, counters: 1, refused: 1 }],
    )
  })

  test('GATELODGE_RATE_LIMITS=off lifts the ceiling with the limits', async () => {
    await using app = await testApp({ engine, env: { GATELODGE_RATE_LIMITS: 'off' } })
    for (let round = 0; round < 15; round += 1) await guessClient(app, network(1))
    assert.equal((await rowsOf(app, 'service_client.refused')).length, 15)
    assert.ok(Array.from({ length: 9_000 }, () => app.deps.strangers.ask('192.0.2.1', 1)).every((wait) => wait === 0))
    assert.equal((await app.post('/forgot-password', { email: 'ghost@example.com' })).status, 200)
  })
})
