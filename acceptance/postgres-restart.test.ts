import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import { bin } from '../packages/gatelodge/test/support/cli.ts'
import { freePort } from '../packages/gatelodge/test/support/postgres.ts'
import { startPostgres, type TestPostgres } from '../packages/gatelodge/test/support/postgres-server.ts'
import { until } from '../packages/gatelodge/test/support/until.ts'

const endings = process.env.PROOFS === 'quick' ? (['fast'] as const) : (['fast', 'immediate', 'kill'] as const)
const restarts = process.env.PROOFS === 'quick' ? 1 : 4
const clients = 12
const password = 'quiet harbour 52'

for (const how of endings) {
  test(`PostgreSQL ended (${how}) and started again under load: 503 with Retry-After meanwhile, and nothing acknowledged is lost`, async () => {
    const postgres = await startPostgres({ durable: true })
    const server = await startServer(postgres)
    const load = startLoad(server.url)
    const done = load.answered

    for (let restart = 0; restart < restarts; restart += 1) {
      await until(() => isUp(server) && load.good() > (restart + 1) * 60)
      await postgres.restart(how, 300)
      const soFar = load.good()
      await until(() => isUp(server) && load.good() > soFar + 40) // it recovers by itself
    }
    const acknowledged = await load.stop()
    assert.equal(await server.stop(), 0)

    assert.deepEqual(done.unforeseen, [])
    assert.ok(done.unavailable > 0, 'the restarts were felt')
    await assertStored(postgres, acknowledged)
    console.log(
      `${how}: ${load.good()} answers, ${done.unavailable} of them 503; ${acknowledged.emails.length} accounts`,
    )
    await postgres.stop()
  })
}

interface Server {
  readonly url: string
  readonly child: ChildProcess
  stop(): Promise<number | null>
}

async function startServer(postgres: TestPostgres): Promise<Server> {
  const folder = mkdtempSync(join(tmpdir(), 'gatelodge-restart-'))
  const port = await freePort()
  const env = {
    PATH: process.env.PATH,
    GATELODGE_LISTEN: `127.0.0.1:${port}`,
    GATELODGE_DATABASE: postgres.url,
    GATELODGE_DATA_DIR: folder,
    GATELODGE_REGISTRATION: 'instant',
    GATELODGE_RATE_LIMITS: 'off',
    GATELODGE_PASSWORD_HASH: 'm=7168,t=5,p=1',
    GATELODGE_LOG_LEVEL: 'error',
  }
  const child = spawn(process.execPath, [bin, 'serve'], { env, stdio: ['ignore', 'ignore', 'pipe'] })
  const log: string[] = []
  child.stderr.setEncoding('utf8').on('data', (text: string) => log.push(text))
  const url = `http://127.0.0.1:${port}`
  const server: Server = {
    url,
    child,
    async stop() {
      const gone = once(child, 'exit')
      child.kill('SIGTERM')
      await gone
      rmSync(folder, { recursive: true })
      assert.doesNotMatch(log.join(''), /uncaught error|unexpected error/)
      return child.exitCode
    },
  }
  await until(async () => isUp(server) && (await fetch(`${url}/readyz`).catch(() => undefined))?.status === 200)
  return server
}

/** What the server acknowledged as done. */
interface Acknowledged {
  readonly emails: string[]
  /** By user, the last name that was acknowledged; others may have been requested since. */
  readonly names: Map<string, { name: string; asked: Set<string> }>
  readonly sessions: Map<string, 'begun' | 'ended' | 'unknown'>
}

function startLoad(url: string) {
  const answered = { good: 0, unavailable: 0, unforeseen: [] as string[] }
  const acknowledged: Acknowledged = { emails: [], names: new Map(), sessions: new Map() }
  let isRunning = true
  let next = 0

  /** Returns the response, or undefined for a 503. Records anything else. */
  // biome-ignore lint/suspicious/noExplicitAny: answers of every shape, as in the support of the tests
  async function ask(method: string, path: string, body?: unknown, token?: string): Promise<any> {
    const response = await fetch(`${url}/api/v1/auth${path}`, {
      method,
      headers: {
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    }).catch((error: unknown) => error as Error)
    if (response instanceof Error) return unforeseen(`${method} ${path}: ${String(response.cause ?? response)}`)

    const text = await response.text()
    if (response.ok) {
      answered.good += 1
      return text === '' ? {} : JSON.parse(text)
    }
    const isProblem = response.headers.get('content-type') === 'application/problem+json'
    const isTold = Number(response.headers.get('retry-after')) > 0
    if (response.status !== 503 || !isProblem || !isTold)
      return unforeseen(`${method} ${path}: ${response.status} ${text}`)
    answered.unavailable += 1
    await pause(20)
    return undefined
  }

  function unforeseen(what: string): undefined {
    answered.unforeseen.push(what)
  }

  async function person(): Promise<void> {
    next += 1
    const email = `person${next}@example.com`
    if (!(await ask('POST', '/signup', { email, password }))) return
    acknowledged.emails.push(email)

    const begun = await ask('POST', '/signin', { email, password })
    if (!begun) return
    const { session_id: session } = begun
    let { access_token: access, refresh_token: refresh } = begun
    acknowledged.sessions.set(session, 'begun')
    const names = { name: '', asked: new Set<string>() }
    for (let round = 0; round < 6; round += 1) {
      await ask('GET', '/session', undefined, access)
      const name = `Name ${round}`
      names.asked.add(name)
      if (await ask('PATCH', '/me', { first_name: name }, access)) {
        acknowledged.names.set(email, Object.assign(names, { name, asked: new Set() }))
      }
      const refreshed = await ask('POST', '/refresh', { refresh_token: refresh })
      if (refreshed) ({ access_token: access, refresh_token: refresh } = refreshed)
    }
    if (next % 2) acknowledged.sessions.set(session, (await ask('POST', '/signout', {}, access)) ? 'ended' : 'unknown')
  }

  async function client(): Promise<void> {
    while (isRunning) await person()
  }

  const running = Promise.all(Array.from({ length: clients }, client))
  return {
    answered,
    good: () => answered.good,
    async stop() {
      isRunning = false
      await running
      return acknowledged
    },
  }
}

async function assertStored(postgres: TestPostgres, { emails, names, sessions }: Acknowledged): Promise<void> {
  const client = new pg.Client({ connectionString: postgres.url })
  await client.connect()
  const column = async (text: string) => (await client.query<{ it: string }>(text)).rows.map(({ it }) => it)

  const accounts = new Set(await column('select email as it from users'))
  assert.deepEqual(
    emails.filter((email) => !accounts.has(email)),
    [],
  )
  const stored = new Set(await column('select id as it from sessions'))
  const wrong = [...sessions].filter(([id, state]) => state !== 'unknown' && stored.has(id) !== (state === 'begun'))
  assert.deepEqual(wrong, [])
  const named = await client.query<{ email: string; first_name: string }>('select email, first_name from users')
  const lost = named.rows.filter(({ email, first_name: name }) => {
    const told = names.get(email)
    return told && told.name !== name && !told.asked.has(name)
  })
  assert.deepEqual(lost, [])
  // Every unit of work is complete: an account with its event.
  const counts = await column(`select count(*) as it from users union all
    select count(*) from events where name = 'user.created'`)
  assert.equal(counts[0], counts[1])
  await client.end()
}

function isUp({ child }: Server): true {
  assert.equal(child.exitCode, null, 'the server ended by itself')
  return true
}
