import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { composeTest, type Engine, forEachDatabase } from '../../test/support/app.ts'
import { freshDatabase } from '../../test/support/databases.ts'
import { type LogLine, type TestClock, testClock } from '../../test/support/deps.ts'
import { type SmtpOptions, type SmtpTestServer, smtpServer } from '../../test/support/smtp.ts'
import { until } from '../../test/support/until.ts'
import { retryFailedMails, retryMail } from '../admin/mails/retry-mail.ts'
import type { Composition } from '../compose.ts'
import { type MailKind, type MailRequests, requestMail } from '../domain/outbox.ts'
import { createUser } from '../domain/users.ts'
import { systemActor } from '../kernel/actor.ts'
import { hour, minute, second } from '../kernel/clock.ts'
import type { MailRow } from '../store/schema.ts'
import { transact } from '../store/unit-of-work.ts'
import { leaseTime, longestPause } from './mail-claims.ts'

const actor = systemActor('command', 'test')

interface Outbox {
  readonly clock: TestClock
  readonly logged: readonly LogLine[]
  readonly server: SmtpTestServer
  readonly process: Composition
  /** Starts another process on the same database, using `server` if given. */
  another(server?: SmtpTestServer): Promise<Composition>
  /** Stops a process before the test ends. */
  close(process: Composition): Promise<void>
  request<Kind extends MailKind>(kind: Kind, request: MailRequests[Kind]): Promise<void>
  /** Requests a mail to each address, in one transaction. */
  requestAll(addresses: readonly string[]): Promise<void>
  rows(): Promise<MailRow[]>
}

/** Creates a database with one process and a mail server; everything is closed when the test ends. */
async function outbox(t: TestContext, engine: Engine, options: SmtpOptions = {}): Promise<Outbox> {
  const database = await freshDatabase(engine)
  const server = await smtpServer(options)
  const clock = testClock()
  const logged: LogLine[] = []
  const open = new Set<Composition>()
  async function another({ smtp } = server): Promise<Composition> {
    const env = { GATELODGE_SMTP_URL: `smtp://127.0.0.1:${smtp.port}` }
    const composition = await composeTest({ env, database: database.location }, clock, logged)
    open.add(composition)
    return composition
  }
  const process = await another()
  t.after(async () => {
    for (const composition of open) await composition.close()
    await server.close()
    await database.release()
  })

  return {
    clock,
    logged,
    server,
    process,
    another,
    close(composition) {
      open.delete(composition)
      return composition.close()
    },
    request: (kind, request) => transact(process.deps, actor, (work) => requestMail(work, kind, request)),
    requestAll: (addresses) =>
      transact(process.deps, actor, async (work) => {
        for (const email of addresses) await requestMail(work, 'test', { email })
      }),
    rows: () => process.deps.store.db.selectFrom('mails').selectAll().orderBy('id').execute(),
  }
}

const addresses = (count: number, domain = (n: number) => `domain${n % 7}.example`) =>
  Array.from({ length: count }, (_, n) => `person${n}@${domain(n)}`)

function assertEachOnce(server: SmtpTestServer, asked: readonly string[]): void {
  const got = server.received.map(({ recipients }) => recipients.join()).sort()
  assert.deepEqual(got, [...asked].sort())
}

/** Creates a promise with its resolvers. */
const gate = () => Promise.withResolvers<undefined>()

forEachDatabase('the outbox', (engine) => {
  test('200 mails survive an hour without a mail server, and each arrives once', async (t) => {
    const { process, server, clock, requestAll, rows } = await outbox(t, engine)
    const asked = addresses(200)
    await server.close()
    await requestAll(asked)
    for (let waited = 0; waited < hour; waited += 10 * minute) {
      await process.deliverMail()
      clock.advance(10 * minute)
    }
    assert.ok((await rows()).every(({ state, attempts }) => state === 'sending' && attempts >= 3))

    const again = await smtpServer({ port: server.smtp.port })
    t.after(() => again.close())
    clock.advance(20 * minute)
    await process.deliverMail()
    assertEachOnce(again, asked)
    assert.ok((await rows()).every(({ state }) => state === 'delivered'))
  })

  test('two processes deliver 500 mails, each mail once', async (t) => {
    const { process, another, server, requestAll, rows } = await outbox(t, engine)
    const other = await another()
    const asked = addresses(500)
    await requestAll(asked)

    const taken = await Promise.all([process.deliverMail(), other.deliverMail()])
    assertEachOnce(server, asked)
    assert.deepEqual([taken[0] + taken[1], taken[0] > 0, taken[1] > 0], [500, true, true])
    assert.ok((await rows()).every((row) => row.state === 'delivered' && row.attempts === 1 && row.lease === null))
  })

  test('a process that hangs loses its claim when the lease expires, not before, and marks nothing afterwards', async (t) => {
    const stuck = gate()
    const { process, another, server, clock, logged, requestAll, rows } = await outbox(t, engine)
    const slow = await smtpServer({
      answer: (step) => (step === 'DATA' ? stuck.promise.then(() => '554 No') : undefined),
    })
    t.after(() => slow.close())
    const first = await another(slow)
    await requestAll(['ada@example.org'])
    const late = first.deliverMail()
    await until(() => slow.tries() === 1)

    clock.advance(leaseTime - 1)
    assert.equal(await process.deliverMail(), 0)
    clock.advance(1)
    assert.equal(await process.deliverMail(), 1)
    assertEachOnce(server, ['ada@example.org'])

    stuck.resolve(undefined)
    await late
    const [row] = await rows()
    assert.deepEqual([row?.state, row?.attempts, row?.last_error], ['delivered', 1, null])
    assert.ok(logged.some(({ message }) => message === 'a mail was taken over by another process'))
    const events = await process.deps.store.db.selectFrom('events').select('name').execute()
    assert.equal(events.filter(({ name }) => name.startsWith('mail.')).length, 1)
  })

  test('a mail that another process claims while it waits is not sent by the process that lost it', async (t) => {
    const stuck = gate()
    const { process, another, server, clock, requestAll } = await outbox(t, engine)
    const slow = await smtpServer({ answer: (step) => (step === 'RCPT TO' ? stuck.promise : undefined) })
    t.after(() => slow.close())
    const first = await another(slow)
    const asked = addresses(5, () => 'one.example')
    await requestAll(asked)
    const late = first.deliverMail()
    await until(() => slow.tries() === 3)

    clock.advance(leaseTime)
    assert.equal(await process.deliverMail(), 5)
    assertEachOnce(server, asked)
    stuck.resolve(undefined)
    await late
    assert.equal(slow.received.length, 3) // these took longer than any running delivery can
  })

  test('a mail whose lease is about to expire gets a new lease before it is sent', async (t) => {
    const stuck = gate()
    const second = gate()
    let asked = 0
    const answer = (step: string) => {
      if (step !== 'RCPT TO') return undefined
      asked += 1
      return asked <= 3 ? stuck.promise : second.promise
    }
    const { process, another, server, clock, requestAll, rows } = await outbox(t, engine, { answer })
    const other = await another()
    await requestAll(addresses(4, () => 'one.example'))
    const delivery = process.deliverMail()
    await until(() => asked === 3)
    clock.advance(leaseTime - minute)
    stuck.resolve(undefined)
    await until(async () => asked === 4 && (await rows()).filter(({ lease }) => lease !== null).length === 1)

    clock.advance(2 * minute)
    assert.equal(await other.deliverMail(), 0)
    second.resolve(undefined)
    await delivery
    assert.equal(server.received.length, 4)
  })

  test('a process that stops releases the mails that it has not started to send', async (t) => {
    const stuck = gate()
    const { process, another, close, server, requestAll, rows } = await outbox(t, engine)
    const slow = await smtpServer({ answer: (step) => (step === 'RCPT TO' ? stuck.promise : undefined) })
    t.after(() => slow.close())
    const first = await another(slow)
    await requestAll(addresses(8, () => 'one.example'))
    const delivery = first.deliverMail()
    await until(() => slow.tries() === 3)
    assert.ok((await rows()).every(({ lease }) => lease !== null))

    const closed = close(first)
    stuck.resolve(undefined)
    await Promise.all([closed, delivery])
    assert.equal(await process.deliverMail(), 5)
    assert.deepEqual([slow.received.length, server.received.length], [3, 5])
  })

  test('a domain whose mail server hangs delays no other', async (t) => {
    const stuck = gate()
    const answer = (step: string, address: string) =>
      step === 'RCPT TO' && address.endsWith('@hangs.example') ? stuck.promise : undefined
    const { process, server, clock, requestAll } = await outbox(t, engine, { answer })
    await requestAll(addresses(20, () => 'hangs.example'))
    await requestAll(['ada@example.org'])
    const deliveries = [process.deliverMail()]
    await until(() => server.received.length === 1)
    assert.deepEqual([server.received[0]?.recipients, server.tries()], [['ada@example.org'], 4])

    await requestAll(addresses(120, () => 'hangs.example'))
    await requestAll(['grace@example.org'])
    deliveries.push(process.deliverMail())
    clock.advance(10 * second)
    deliveries.push(process.deliverMail())
    await until(() => server.received.length === 2)
    assert.deepEqual([server.received[1]?.recipients, server.tries()], [['grace@example.org'], 5])

    stuck.resolve(undefined)
    await Promise.all(deliveries)
    clock.advance(minute)
    await process.deliverMail()
    assert.equal(server.received.length, 142)
  })

  for (const back of [hour, 10 * minute]) {
    test(`a clock set back by ${back / minute} min delays no new mail, and a retry by at most one pause`, async (t) => {
      let down = true
      const answer = (step: string) => (down && step === 'RCPT TO' ? '451 Later' : undefined)
      const { process, server, clock, requestAll } = await outbox(t, engine, { answer })
      await requestAll(['ada@example.org'])
      await process.deliverMail()
      await requestAll(['grace@example.org'])
      down = false

      clock.advance(-back)
      await process.deliverMail()
      assert.ok(server.received.some(({ recipients }) => recipients.join() === 'grace@example.org'))
      clock.advance(longestPause)
      await process.deliverMail()
      assertEachOnce(server, ['ada@example.org', 'grace@example.org'])
    })
  }

  test('a clock set back by an hour neither blocks the mail of a dead process nor takes one from a running process', async (t) => {
    const stuck = gate()
    const { process, another, server, clock, requestAll } = await outbox(t, engine)
    const slow = await smtpServer({ answer: (step) => (step === 'RCPT TO' ? stuck.promise : undefined) })
    t.after(() => slow.close())
    const first = await another(slow)
    await requestAll(['ada@example.org'])
    const late = first.deliverMail()
    await until(() => slow.tries() === 1)

    clock.advance(-hour)
    assert.equal(await process.deliverMail(), 0)
    clock.advance(leaseTime - 1)
    assert.equal(await process.deliverMail(), 0)
    clock.advance(1)
    assert.equal(await process.deliverMail(), 1)
    assert.equal(server.received.length, 1)
    stuck.resolve(undefined)
    await late
  })

  test('a failed mail is written again, with a new link and its own ID', async (t) => {
    let down = true
    const answer = (step: string) => (down && step === 'RCPT TO' ? '550 No' : undefined)
    const { process, server, request, rows, clock } = await outbox(t, engine, { answer })
    await transact(process.deps, actor, (work) =>
      createUser(work, {
        email: 'ada@example.org',
        emailVerifiedAt: work.now,
        username: null,
        firstName: 'Ada',
        lastName: '',
        passwordHash: null,
        by: 'administrator',
      }),
    )
    await request('password_reset', { email: 'ada@example.org' })
    await request('test', { email: 'grace@example.org' })
    await process.deliverMail()
    const failed = await rows()
    assert.ok(failed.every(({ state, sealed }) => state === 'failed' && sealed !== null))
    down = false
    clock.advance(26 * hour)

    const [reset] = failed
    const id = await retryMail(process.deps, actor, { id: reset?.id ?? '' })
    await process.deliverMail()
    const link = /https?:\/\/\S+/.exec(server.received[0]?.parsed.text ?? '')?.[0] ?? ''
    const token = new URL(link).searchParams.get('token')
    const looked = await process.fetch(
      new Request('http://localhost:3000/api/v1/auth/reset-password', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ token, new_password: 'quiet harbour 52' }),
      }),
      { peer: '192.0.2.1' },
    )
    assert.equal(looked.status, 200)
    assert.deepEqual([server.received[0]?.parsed.messageId, id === reset?.id], [`<${id}@localhost>`, false])

    assert.equal((await retryFailedMails(process.deps, actor)).length, 1)
    assert.equal((await retryFailedMails(process.deps, actor)).length, 0)
    await process.deliverMail()
    assert.ok(server.received.some(({ recipients }) => recipients.join() === 'grace@example.org'))
    await assert.rejects(retryMail(process.deps, actor, { id: reset?.id ?? '' }), { code: 'not_found' })
    await assert.rejects(retryMail(process.deps, actor, { id }), { code: 'not_found' })
  })

  test('a failed mail that cannot be read stays unchanged', async (t) => {
    const { process, rows, request } = await outbox(t, engine)
    await request('test', { email: 'ada@example.org' })
    await process.deps.store.transaction((db) => db.updateTable('mails').set({ sealed: 'x' }).execute())
    await process.deliverMail()

    const [row] = await rows()
    assert.equal(row?.state, 'failed')
    assert.deepEqual(await retryFailedMails(process.deps, actor), [])
    await assert.rejects(retryMail(process.deps, actor, { id: row?.id ?? '' }), { code: 'not_found' })
    assert.deepEqual((await rows())[0]?.id, row?.id)
  })
})

test('a server that starts on SQLite immediately takes over the mails claimed by its predecessor', async (t) => {
  const { process, another, server, requestAll } = await outbox(t, 'sqlite')
  const stuck = gate()
  const slow = await smtpServer({ answer: (step) => (step === 'RCPT TO' ? stuck.promise : undefined) })
  t.after(() => slow.close())
  const dead = await another(slow)
  await requestAll(['ada@example.org'])
  const never = dead.deliverMail()
  await until(() => slow.tries() === 1)
  assert.equal(await process.deliverMail(), 0)

  process.startJobs()
  await until(() => server.received.length === 1)
  stuck.resolve(undefined)
  await never
})
