import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { freePort } from '../packages/gatelodge/test/support/postgres.ts'
import { type SmtpTestServer, smtpServer } from '../packages/gatelodge/test/support/smtp.ts'
import { until } from '../packages/gatelodge/test/support/until.ts'

const rounds = process.env.PROOFS === 'quick' ? 1 : 10
const signUps = process.env.PROOFS === 'quick' ? 150 : 500
const clients = 16
const bin = fileURLToPath(new URL('../packages/gatelodge/bin/gatelodge.js', import.meta.url))

for (let round = 1; round <= rounds; round += 1) {
  test(`round ${round}: every sign-up acknowledged before a kill -9 exists after it, and its mail arrives`, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'gatelodge-crash-'))
    const inbox = await smtpServer()
    const server = await startServer(folder, inbox)
    const promised: string[] = []
    try {
      const { acknowledged, kills } = await signUpThroughCrashes(server, round)
      assert.ok(kills > 0, 'the server was killed')
      promised.push(...acknowledged)

      await until(() =>
        acknowledged.every((email) => inbox.received.some(({ recipients }) => recipients.includes(email))),
      )
      await confirmSome(server, inbox, acknowledged)
      await until(() => undeliveredIn(join(folder, 'gatelodge.db')) === 0)
    } finally {
      await server.stop()
      await inbox.close()
    }
    assertWhole(join(folder, 'gatelodge.db'), promised)
    rmSync(folder, { recursive: true })
  })
}

interface CrashingServer {
  readonly url: string
  kill(): Promise<void>
  start(): Promise<void>
  stop(): Promise<void>
}

async function startServer(folder: string, inbox: SmtpTestServer): Promise<CrashingServer> {
  const port = await freePort()
  const env = {
    PATH: process.env.PATH,
    GATELODGE_LISTEN: `127.0.0.1:${port}`,
    GATELODGE_DATABASE: `sqlite:${join(folder, 'gatelodge.db')}`,
    GATELODGE_DATA_DIR: folder,
    GATELODGE_SMTP_URL: `smtp://127.0.0.1:${inbox.smtp.port}`,
    GATELODGE_RATE_LIMITS: 'off',
    GATELODGE_PASSWORD_HASH: 'm=7168,t=5,p=1',
    GATELODGE_LOG_LEVEL: 'error',
  }
  const url = `http://127.0.0.1:${port}`
  let child: ChildProcess

  async function start(): Promise<void> {
    child = spawn(process.execPath, [bin, 'serve'], { env, stdio: ['ignore', 'ignore', 'inherit'] })
    await until(async () => {
      assert.equal(child.exitCode, null, 'the server ended by itself')
      return (await fetch(`${url}/healthz`).catch(() => undefined))?.status === 200
    })
  }

  async function end(signal: NodeJS.Signals): Promise<void> {
    const gone = once(child, 'exit')
    child.kill(signal)
    await gone
  }

  await start()
  return { url, start, kill: () => end('SIGKILL'), stop: () => end('SIGTERM') }
}

/** Sends sign-ups from several clients while the server is killed and restarted. Returns the users whose sign-ups were acknowledged. */
async function signUpThroughCrashes(
  server: CrashingServer,
  round: number,
): Promise<{ acknowledged: string[]; kills: number }> {
  const acknowledged: string[] = []
  let next = 0
  let kills = 0

  async function client(): Promise<void> {
    while (next < signUps) {
      const email = `person${next++}@round${round}.example`
      const body = JSON.stringify({ email, password: 'quiet harbour 52', username: email.replace('@', '.') })
      const headers = { 'content-type': 'application/json' }
      const answer = await fetch(`${server.url}/api/v1/auth/signup`, { method: 'POST', headers, body }).catch(
        () => undefined,
      )
      if (answer?.status === 201) acknowledged.push(email)
      else await until(async () => (await fetch(`${server.url}/healthz`).catch(() => undefined))?.status === 200)
    }
  }

  async function crash(): Promise<void> {
    while (next < signUps) {
      const at = next + 10 + Math.floor(Math.random() * 60)
      await until(() => next >= Math.min(at, signUps))
      if (next >= signUps) return
      await server.kill()
      kills += 1
      await server.start()
    }
  }

  await Promise.all([crash(), ...Array.from({ length: clients }, client)])
  return { acknowledged, kills }
}

/** Asserts that the links in the emails work. */
async function confirmSome(
  server: CrashingServer,
  inbox: SmtpTestServer,
  acknowledged: readonly string[],
): Promise<void> {
  for (const email of acknowledged.filter((_, index) => index % 25 === 0)) {
    const mail = inbox.received.findLast(({ recipients }) => recipients.includes(email))
    const token = /token=([\w.-]+)/.exec(mail?.parsed.text ?? '')?.[1]
    const answer = await fetch(`${server.url}/api/v1/auth/verify-email`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ token, password: 'quiet harbour 52' }),
    })
    assert.equal(answer.status, 200, `${email}: ${await answer.text()}`)
  }
}

/** Asserts that everything acknowledged exists, and everything that exists is complete: sign-up, name, event and email of one unit of work. */
function assertWhole(file: string, acknowledged: readonly string[]): void {
  const db = new DatabaseSync(file, { readOnly: true })
  const emails = (sql: string) =>
    new Set(
      db
        .prepare(sql)
        .all()
        .map((row) => String(row.email)),
    )
  const stored = emails('select email from pending_signups union select email from users')
  const named = emails(
    'select email from usernames where email is not null union select email from users where username is not null',
  )
  const count = (sql: string) => Number(db.prepare(sql).get()?.n)

  assert.deepEqual(
    acknowledged.filter((email) => !stored.has(email)),
    [],
  )
  assert.deepEqual(
    [...stored].filter((email) => !named.has(email)),
    [],
  )
  assert.equal(count("select count(*) as n from mails where kind = 'signup'"), stored.size)
  assert.equal(count("select count(*) as n from events where name = 'signup.requested'"), stored.size)
  assert.equal(db.prepare('pragma integrity_check').get()?.integrity_check, 'ok')
  db.close()
}

/** Returns the number of pending or failed emails. */
function undeliveredIn(file: string): number {
  const db = new DatabaseSync(file, { readOnly: true, timeout: 1_000 })
  const row = db.prepare("select count(*) as n from mails where state <> 'delivered'").get()
  db.close()
  return Number(row?.n)
}
