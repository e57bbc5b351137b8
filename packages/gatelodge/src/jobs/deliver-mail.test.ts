import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Kysely, sql } from 'kysely'
import { forEachDatabase } from '../../test/support/app.ts'
import { type MailTest, mailTest } from '../../test/support/mail.ts'
import { until } from '../../test/support/until.ts'
import { mailBacklog } from '../domain/outbox.ts'
import { hour, minute, second } from '../kernel/clock.ts'
import { parseToken } from '../kernel/ids.ts'
import type { MailRow, Schema } from '../store/schema.ts'
import type { Store } from '../store/store.ts'
import { createMailDelivery } from './deliver-mail.ts'
import { leaseTime } from './mail-claims.ts'
import type { OutgoingMail } from './transports.ts'

const toAda = { email: 'ada@example.org' }
const refuseAll = { answer: (step: string) => (step === 'RCPT TO' ? '451 4.3.0 Later, ada@example.org' : undefined) }

async function eventNames({ store }: MailTest): Promise<string[]> {
  const events = await store.db.selectFrom('events').select('name').orderBy('id').execute()
  return events.map(({ name }) => name).filter((name) => name.startsWith('mail.'))
}

forEachDatabase('mail delivery', (engine) => {
  test('a mail is delivered once, its content erased and the event recorded', async (t) => {
    const mail = await mailTest(t, { engine })
    await mail.request('test', toAda)

    assert.equal(await mail.delivery.runDue(), 1)
    assert.equal(await mail.delivery.runDue(), 0)
    const [row] = await mail.rows()
    const [received] = mail.server.received
    assert.equal(mail.server.received.length, 1)
    assert.deepEqual(received?.recipients, [toAda.email])
    assert.equal(received?.parsed.messageId, `<${row?.id}@localhost>`)
    assert.deepEqual([row?.state, row?.sealed, row?.attempts, row?.last_error], ['delivered', null, 1, null])
    assert.equal(row?.finished_at, mail.clock.now())
    assert.deepEqual(await eventNames(mail), ['mail.delivered'])
  })

  test('a request about an unknown address leaves the same row as one about a known address', async (t) => {
    const mail = await mailTest(t, { engine })
    await mail.addUser()
    await mail.request('password_reset', { email: 'ada@example.org' })
    await mail.request('password_reset', { email: 'eve@example.org' })

    const [known, unknown] = (await mail.rows()).map(({ id: _, sealed, ...row }) => ({ ...row, size: sealed?.length }))
    assert.deepEqual(known, unknown)
  })

  test('a request without a recipient is dropped and erased', async (t) => {
    const mail = await mailTest(t, { engine })
    await mail.request('password_reset', { email: 'eve@example.org' })
    await mail.delivery.runDue()

    const [row] = await mail.rows()
    assert.deepEqual([row?.state, row?.sealed, row?.finished_at], ['dropped', null, mail.clock.now()])
    assert.equal(mail.server.tries(), 0)
  })

  test('a rejected mail is retried after 5 s, doubling up to 15 min, varied by up to a fifth', async (t) => {
    const mail = await mailTest(t, { engine, ...refuseAll })
    await mail.request('test', toAda)
    const pauses: number[] = []
    for (let attempt = 1; attempt <= 10; attempt += 1) {
      assert.equal(await mail.delivery.runDue(), 1)
      const [row] = await mail.rows()
      assert.deepEqual([row?.state, row?.attempts, row?.last_error], ['sending', attempt, '451 4.3.0 at RCPT TO'])
      pauses.push((row?.next_attempt_at ?? 0) - mail.clock.now())
      mail.clock.advance((pauses.at(-1) ?? 0) - 1)
      assert.equal(await mail.delivery.runDue(), 0)
      mail.clock.advance(1)
    }

    for (const [index, planned] of [5, 10, 20, 40, 80, 160, 320, 640, 900, 900].entries()) {
      const pause = pauses[index] ?? 0
      assert.ok(pause >= planned * second * 0.8 && pause <= planned * second * 1.2, `${pause} for ${planned} s`)
    }
  })

  test('a mail fails within 24 hours of its request, its content is erased and an event recorded', async (t) => {
    const mail = await mailTest(t, { engine, ...refuseAll })
    await mail.request('test', toAda)
    const requested = mail.clock.now()
    while ((await mail.rows())[0]?.state !== 'failed') {
      await mail.delivery.runDue()
      mail.clock.advance(15 * minute)
    }

    const [row] = await mail.rows()
    const tried = (row?.finished_at ?? 0) - requested
    assert.ok(tried > 23 * hour && tried <= 24 * hour)
    assert.deepEqual([askedOf(mail, row), row?.last_error], [toAda, '451 4.3.0 at RCPT TO'])
    assert.deepEqual(await eventNames(mail), ['mail.failed'])
  })

  test('a mail to a recipient unknown to the server fails immediately', async (t) => {
    const mail = await mailTest(t, {
      engine,
      answer: (step) => (step === 'RCPT TO' ? '550 5.1.1 ada@example.org?' : undefined),
    })
    await mail.request('test', toAda)
    await mail.delivery.runDue()

    const [row] = await mail.rows()
    assert.deepEqual([row?.state, askedOf(mail, row), row?.last_error], ['failed', toAda, '550 5.1.1 at RCPT TO'])
    assert.deepEqual(await eventNames(mail), ['mail.failed'])
    assert.doesNotMatch(JSON.stringify(mail.logged), /ada@/)
  })

  test('a mail whose process dies between sending and marking is sent again with the same Message-ID', async (t) => {
    const mail = await mailTest(t, { engine })
    await mail.request('test', toAda)
    const { mend } = await failOn(mail, 'delivered')
    await assert.rejects(mail.delivery.runDue(), /disk full/)
    await assert.rejects(mail.delivery.runDue(), /disk full/)
    assert.equal(mail.server.received.length, 1) // the running process knows what it has sent

    await mend()
    const { deps, transport } = mail
    mail.clock.advance(leaseTime)
    await createMailDelivery({ deps, transport }).runDue()
    const ids = mail.server.received.map(({ parsed }) => parsed.messageId)
    assert.equal(ids.length, 2)
    assert.equal(ids[0], ids[1])
    assert.equal((await mail.rows())[0]?.state, 'delivered')
  })

  test('a mail that was sent but not marked is only marked when the database works again', async (t) => {
    const mail = await mailTest(t, { engine })
    await mail.request('test', toAda)
    const { mend } = await failOn(mail, 'delivered')
    await assert.rejects(mail.delivery.runDue(), /disk full/)
    await mend()
    await mail.delivery.runDue()

    assert.equal(mail.server.received.length, 1)
    assert.equal((await mail.rows())[0]?.state, 'delivered')
  })

  test('a mail that cannot be written is retried later, and its new link is rolled back', async (t) => {
    const mail = await mailTest(t, { engine })
    await mail.addUser()
    await mail.request('password_reset', toAda)
    const { mend } = await failOn(mail, 'sending')
    await mail.delivery.runDue()

    const [row] = await mail.rows()
    assert.deepEqual([row?.state, row?.attempts, row?.last_error], ['requested', 1, 'not written'])
    assert.equal((await mail.store.db.selectFrom('one_time_tokens').selectAll().execute()).length, 0)
    await mend()
    mail.clock.advance(minute)
    await mail.delivery.runDue()
    assert.equal(mail.server.received.length, 1)
  })

  test('a mail sealed with another secret, or of an unknown kind, fails immediately', async (t) => {
    const mail = await mailTest(t, { engine })
    for (const changed of [{ sealed: 'x' }, { kind: 'toString' }, { sealed: 'x', state: 'sending' }] as const) {
      await mail.request('test', toAda)
      await mail.store.migrationDb.updateTable('mails').set(changed).where('state', '=', 'requested').execute()
      await mail.delivery.runDue()
    }

    assert.deepEqual(
      (await mail.rows()).map(({ state, last_error }) => [state, last_error]),
      [
        ['failed', 'request cannot be read'],
        ['failed', 'request cannot be read'],
        ['failed', 'mail cannot be read'],
      ],
    )
  })

  test('a slow address delays no other, and no row is claimed twice', async (t) => {
    const { promise: released, resolve: release } = Promise.withResolvers<undefined>()
    const answer = (step: string, address: string) =>
      step === 'RCPT TO' && address.startsWith('slow') ? released : undefined
    const mail = await mailTest(t, { engine, answer })
    await mail.request('test', { email: 'slow@example.org' })
    for (let n = 0; n < 12; n += 1) await mail.request('test', { email: `fast${n}@example.org` })

    const runs = [mail.delivery.runDue(), mail.delivery.runDue()]
    await until(() => mail.server.received.length >= 12)
    release(undefined)
    await Promise.all(runs)

    const recipients = mail.server.received.map(({ recipients: [to] }) => to)
    assert.equal(recipients.length, 13)
    assert.equal(new Set(recipients).size, 13)
    assert.equal(recipients.at(-1), 'slow@example.org')
  })

  test('mails that finish while the outbox is being read leave no mail waiting', async (t) => {
    const mail = await mailTest(t, { engine })
    const gates = new Map(['slow', 'one', 'two'].map((name) => [name, Promise.withResolvers<void>()]))
    const begun: string[] = []
    async function send({ to }: OutgoingMail): Promise<void> {
      const [name = ''] = to.split('@')
      begun.push(name)
      await gates.get(name)?.promise
    }
    // While the outbox is read again, all mails except the slow one finish.
    const read = whenRead(mail.store, async () => {
      if (begun.length < 3) return
      for (const name of ['one', 'two']) gates.get(name)?.resolve()
      await until(async () => (await mail.rows()).filter(({ state }) => state === 'delivered').length >= 2)
    })
    const deps = { ...mail.deps, store: { ...mail.store, db: read } }
    const delivery = createMailDelivery({ deps, transport: { ...mail.transport, send } })
    for (const name of ['slow', 'one', 'two', 'three']) await mail.request('test', { email: `${name}@example.org` })

    const run = delivery.runDue()
    await until(() => begun.includes('three'))
    gates.get('slow')?.resolve()
    assert.equal(await run, 4)
    await delivery.stop()
  })

  test('a started job delivers when woken, and within a second what another process requested', async (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] })
    const mail = await mailTest(t, { engine })
    mail.delivery.wake() // has no effect before start
    mail.delivery.start()
    await mail.request('test', toAda)
    mail.delivery.wake()
    mail.delivery.wake()
    await until(() => mail.server.received.length >= 1)

    await mail.request('test', toAda)
    t.mock.timers.tick(1_000)
    await until(() => mail.server.received.length >= 2)

    await mail.delivery.stop()
    await mail.request('test', toAda)
    mail.delivery.wake()
    assert.equal(await mail.delivery.runDue(), 0)
    assert.equal(mail.server.received.length, 2)
  })

  test('stopping waits for the mail being sent', async (t) => {
    const { promise: released, resolve: release } = Promise.withResolvers<undefined>()
    const { promise: asked, resolve: ask } = Promise.withResolvers<void>()
    const answer = (step: string) => {
      if (step === 'DATA') ask()
      return step === 'DATA' ? released : undefined
    }
    const mail = await mailTest(t, { engine, answer })
    mail.delivery.start()
    await mail.request('test', toAda)
    mail.delivery.wake()
    await asked

    const stopped = mail.delivery.stop()
    release(undefined)
    await stopped
    assert.equal((await mail.rows())[0]?.state, 'delivered')
  })

  test('a database failure is logged, and the outbox is read again later', async (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] })
    const mail = await mailTest(t, { engine })
    await mail.request('test', toAda)
    await sql`alter table mails rename to mails_away`.execute(mail.store.migrationDb)
    mail.delivery.start()
    await until(() => mail.logged.length > 0)
    const [first] = mail.logged
    assert.match(
      first?.message ?? '',
      /^(?:the mail claims of the previous server could not be ended|the outbox could not be read)$/,
    )

    await sql`alter table mails_away rename to mails`.execute(mail.store.migrationDb)
    t.mock.timers.tick(1_000)
    await until(() => mail.server.received.length >= 1)
  })

  test('a name with line breaks reaches neither headers nor other recipients', async (t) => {
    const mail = await mailTest(t, { engine })
    await mail.addUser({ firstName: 'Ada\r\nBcc: eve@evil.test\r\n\r\nHi' })
    await mail.request('password_reset', toAda)
    await mail.delivery.runDue()

    const [received] = mail.server.received
    assert.deepEqual(received?.recipients, [toAda.email])
    assert.equal(received?.parsed.bcc, undefined)
    assert.doesNotMatch(received?.raw ?? '', /evil/)
  })

  test('the backlog reports waiting mails, failed mails and how long the oldest has been due', async (t) => {
    const mail = await mailTest(t, {
      engine,
      answer: (step, address) => (step !== 'RCPT TO' ? undefined : address.startsWith('ada') ? '550 No' : '450 Later'),
    })
    const none = { waiting: 0, requested: 0, sending: 0, failed: 0, oldestDue: 0 }
    assert.deepEqual(await mailBacklog(mail.store.db, mail.clock.now()), none)
    await mail.request('test', toAda)
    await mail.request('test', { email: 'grace@example.org' })
    await mail.delivery.runDue()
    const one = { ...none, waiting: 1, sending: 1, failed: 1 }
    assert.deepEqual(await mailBacklog(mail.store.db, mail.clock.now()), one)

    await mail.request('test', toAda)
    mail.clock.advance(minute)
    const two = { ...one, waiting: 2, requested: 1, oldestDue: minute }
    assert.deepEqual(await mailBacklog(mail.store.db, mail.clock.now()), two)
  })
})

test('request, mail and link are never stored in clear, before, between and after attempts', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'gatelodge-test-'))
  t.after(() => rmSync(folder, { recursive: true }))
  let down = true
  const answer = (step: string) => (down && step === 'DATA' ? '451 Later' : undefined)
  const mail = await mailTest(t, { engine: 'sqlite', databaseFile: join(folder, 'test.db'), answer })
  const stored = () => readdirSync(folder).map((file) => readFileSync(join(folder, file), 'latin1'))
  await mail.addUser({ email: 'grace@example.org' })
  await mail.request('password_reset', { email: 'grace@example.org' })

  const snapshots = [...stored()]
  await mail.delivery.runDue()
  snapshots.push(...stored())
  down = false
  mail.clock.advance(minute)
  await mail.delivery.runDue()
  snapshots.push(...stored())

  const token = /token=(\S+)/.exec(mail.server.received[0]?.parsed.text ?? '')?.[1] ?? ''
  const secret = parseToken(token)?.secret ?? ''
  assert.equal(secret.length, 43)
  for (const text of snapshots) assert.ok(!text.includes(secret) && !text.includes('reset-password'))
  assert.equal((await mail.rows())[0]?.sealed, null)
})

/** Returns the request that a failed mail keeps, with its address. */
function askedOf({ deps }: MailTest, row: MailRow | undefined): { email: unknown } {
  const { email } = JSON.parse(deps.keyring.open('mail', row?.sealed ?? '', row?.id ?? '') ?? '{}')
  return { email }
}

/** Wraps the reading side of a database and calls `act` before each result. */
function whenRead({ db }: Store, act: () => Promise<void>): Store['db'] {
  return (db as Kysely<Schema>).withPlugin({
    transformQuery: ({ node }) => node,
    async transformResult({ result }) {
      await act()
      return result
    },
  })
}

/** Makes the database fail when a mail enters a state, until `mend` is called. */
async function failOn({ store }: MailTest, state: string): Promise<{ mend(): Promise<void> }> {
  const when = `new.state = '${state}' and old.state <> new.state`
  const run = async (...statements: readonly string[]) => {
    for (const statement of statements) await sql.raw(statement).execute(store.migrationDb)
  }
  if (store.engine === 'sqlite') {
    await run(`create trigger fails before update on mails when ${when} begin select raise(abort, 'disk full'); end`)
    return { mend: () => run('drop trigger fails') }
  }
  await run(
    `create function fails() returns trigger language plpgsql as $$ begin raise exception 'disk full'; end $$`,
    `create trigger fails before update on mails for each row when (${when}) execute function fails()`,
  )
  return { mend: () => run('drop function fails() cascade') }
}
