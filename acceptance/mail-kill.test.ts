import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { requestMail } from '../packages/gatelodge/src/domain/outbox.ts'
import { leaseTime } from '../packages/gatelodge/src/jobs/mail-claims.ts'
import { systemActor } from '../packages/gatelodge/src/kernel/actor.ts'
import { transact } from '../packages/gatelodge/src/store/unit-of-work.ts'
import { composeTest, type Engine, forEachDatabase } from '../packages/gatelodge/test/support/app.ts'
import { bin } from '../packages/gatelodge/test/support/cli.ts'
import { bareDatabase } from '../packages/gatelodge/test/support/databases.ts'
import { testClock, testSecret } from '../packages/gatelodge/test/support/deps.ts'
import { freePort } from '../packages/gatelodge/test/support/postgres.ts'
import { type SmtpTestServer, smtpServer } from '../packages/gatelodge/test/support/smtp.ts'
import { until } from '../packages/gatelodge/test/support/until.ts'

const rounds = process.env.PROOFS === 'quick' ? 1 : 10
const handedOver = 10 // at the same time
const asked = 40

forEachDatabase('a server killed between handing over and marking', (engine) => {
  for (let round = 1; round <= rounds; round += 1) {
    test(`sends again what was under way, with the same Message-ID, and nothing else, round ${round}`, async () => {
      await using place = await killedServer(engine)
      const { inbox, process, clock } = place
      const underWay = idsIn(inbox)
      assert.equal(underWay.length, handedOver)
      inbox.release()

      clock.advance(leaseTime - 60_000)
      await process.deliverMail()
      assert.equal(idsIn(inbox).length, asked, 'the others are free, and those of the dead process are not')
      clock.advance(60_000)
      await process.deliverMail()
      const twice = idsIn(inbox).filter((id, index, all) => all.indexOf(id) !== index)
      assert.deepEqual(twice.sort(), underWay.sort())
      assert.equal(new Set(idsIn(inbox)).size, asked)
    })
  }
})

test('a server restarted on SQLite immediately sends what its predecessor had under way', async () => {
  await using place = await killedServer('sqlite')
  const { inbox } = place
  inbox.release()
  const server = await place.serve()
  await until(() => idsIn(inbox).length === asked + handedOver)
  assert.equal(new Set(idsIn(inbox)).size, asked)
  await server.end('SIGTERM')
})

forEachDatabase('a server that is told to end while its mail server hangs', (engine) => {
  test('ends within 15 s, and leaves every mail to the next', async () => {
    await using place = await killedServer(engine, 'SIGTERM')
    const { inbox, process, clock } = place
    assert.ok(place.took < 15_000, `${place.took} ms`)
    inbox.release()
    await process.deliverMail()
    clock.advance(20_000)
    await process.deliverMail()
    assert.equal(new Set(idsIn(inbox)).size, asked)
    const rows = await process.deps.store.db.selectFrom('mails').select('state').execute()
    assert.ok(rows.every(({ state }) => state === 'delivered'))
  })
})

/** A mail server that accepts emails and does not confirm them until it is released. */
type SilentInbox = SmtpTestServer & { release(): void }

const idsIn = ({ received }: SmtpTestServer) => received.map(({ parsed }) => parsed.messageId ?? '')

/** Stops a server that has ten emails under way. `process` is another one on the same database, with its own clock. */
async function killedServer(engine: Engine, signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL') {
  const folder = mkdtempSync(join(tmpdir(), 'gatelodge-kill-'))
  const database = await bareDatabase(engine)
  const { promise: released, resolve } = Promise.withResolvers<void>()
  const inbox: SilentInbox = { ...(await smtpServer({ beforeReply: () => released })), release: resolve }
  const env = { GATELODGE_SMTP_URL: `smtp://127.0.0.1:${inbox.smtp.port}`, GATELODGE_DATABASE: database.location }
  const clock = testClock(Date.now())
  const process = await composeTest({ env, database: database.location }, clock, [])
  await transact(process.deps, systemActor('command', 'test'), async (work) => {
    for (let n = 0; n < asked; n += 1) await requestMail(work, 'test', { email: `person${n}@domain${n}.example` })
  })

  const serve = () => startServer(folder, { ...env, GATELODGE_SECRET: testSecret })
  const server = await serve()
  await until(() => inbox.received.length === handedOver)
  const began = performance.now()
  await server.end(signal)
  const took = performance.now() - began
  clock.advance(Date.now() - clock.now())
  return {
    inbox,
    process,
    clock,
    took,
    serve,
    async [Symbol.asyncDispose]() {
      resolve()
      await process.close()
      await inbox.close()
      await database.release()
      rmSync(folder, { recursive: true })
    },
  }
}

async function startServer(folder: string, env: Readonly<Record<string, string>>) {
  const port = await freePort()
  const settings = { GATELODGE_LISTEN: `127.0.0.1:${port}`, GATELODGE_DATA_DIR: folder, GATELODGE_LOG_LEVEL: 'error' }
  const child: ChildProcess = spawn(process.execPath, [bin, 'serve'], {
    env: { PATH: process.env.PATH, ...env, ...settings },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  await until(async () => {
    assert.equal(child.exitCode, null, 'the server ended by itself')
    return (await fetch(`http://127.0.0.1:${port}/healthz`).catch(() => undefined))?.status === 200
  })
  return {
    async end(signal: NodeJS.Signals): Promise<void> {
      const gone = once(child, 'exit')
      child.kill(signal)
      await gone
    },
  }
}
