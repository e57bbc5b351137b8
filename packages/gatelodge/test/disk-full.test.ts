import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { bin } from './support/cli.ts'
import { freePort } from './support/postgres.ts'
import { until } from './support/until.ts'

/** A place for a database that can fill up and be given space again. */
interface Disk {
  readonly folder: string
  /** The beginning of the server's command line. */
  readonly prefix: readonly string[]
  /** What the log says about the cause. */
  readonly cause: RegExp
  fill(): void
  makeRoom(): void
  release(): void
}

const password = 'quiet harbour 52'
const json = { 'content-type': 'application/json' }

/** Limits every file of the server to 2 MiB (RLIMIT_FSIZE, 512-byte blocks): SQLite's log is full until it is emptied. */
function limitedDisk(): Disk {
  const folder = mkdtempSync(join(tmpdir(), 'gatelodge-full-'))
  return {
    folder,
    prefix: ['sh', '-c', 'ulimit -f 4096 && exec "$0" "$@"'],
    cause: /^SQLITE_IOERR: /,
    fill() {},
    makeRoom() {
      const db = new DatabaseSync(join(folder, 'gatelodge.db'), { timeout: 5_000 })
      db.exec('pragma wal_checkpoint(truncate)')
      db.close()
    },
    release: () => rmSync(folder, { recursive: true }),
  }
}

/** Mounts a small file system, if this process may mount one. */
function smallDisk(): Disk | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'gatelodge-full-'))
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', folder]).status !== 0) {
    rmSync(folder, { recursive: true })
    return undefined
  }
  const filler = join(folder, 'filler')
  return {
    folder,
    prefix: [],
    cause: /^SQLITE_FULL: /,
    fill() {
      const { bavail, bsize } = statfsSync(folder)
      writeFileSync(filler, Buffer.alloc(bavail * bsize - 64 * 1024))
    },
    makeRoom: () => rmSync(filler),
    release() {
      spawnSync('umount', [folder])
      rmSync(folder, { recursive: true })
    },
  }
}

const disks = { 'at the limit of its size': limitedDisk, full: smallDisk }

for (const [name, makeDisk] of Object.entries(disks)) {
  const disk = makeDisk()
  if (!disk) continue // the other kind needs no privilege

  test(`disk ${name}: writes are refused with a reason, reads go on, and work goes on when there is room`, async () => {
    const server = await startServer(disk)
    try {
      const cookie = await signIn(server)
      disk.fill()
      const refused = await signUpUntil(server, 503)
      assert.equal(refused.headers.get('content-type'), 'application/problem+json')
      assert.equal(refused.headers.get('retry-after'), '5')
      const problem = (await refused.json()) as Record<string, unknown>
      assert.deepEqual([problem.code, problem.detail], ['service_unavailable', 'The service is unavailable; try again'])
      const line = server.logged().find(({ instance }) => instance === problem.instance)
      assert.equal(line?.msg, 'a service failed')
      assert.match(String(line?.err?.message), disk.cause)

      // A job may have emptied SQLite's log in the meantime, so keep it full.
      await until(async () => {
        await signUpUntil(server, 503)
        return (await fetch(`${server.origin}/readyz`)).status === 503
      })

      const headers = { cookie }
      for (const path of ['session', 'me/events', 'me/sessions']) {
        assert.equal((await fetch(`${server.api}/${path}`, { headers })).status, 200, path)
      }
      const wrong = await ask(server, 'signin', { email: 'ada@example.com', password: 'wrong harbour' })
      assert.ok(wrong.status === 503 || wrong.status === 401)
      assert.equal(server.child.exitCode, null)

      disk.makeRoom()
      await until(async () => (await fetch(`${server.origin}/readyz`)).status === 200)
      assert.equal((await signUpUntil(server, 201)).status, 201)
      assert.equal((await fetch(`${server.api}/session`, { headers })).status, 200)
      await server.end('SIGKILL')
      assertWhole(disk, server.acknowledged)
    } finally {
      await server.end('SIGKILL')
      disk.release()
    }
  })
}

interface Server {
  readonly origin: string
  readonly api: string
  readonly child: ChildProcess
  /** Users whose sign-up was answered with 201. */
  readonly acknowledged: string[]
  logged(): { msg: string; instance?: string; err?: { message: string } }[]
  end(signal: NodeJS.Signals): Promise<void>
}

async function startServer(disk: Disk): Promise<Server> {
  const port = await freePort()
  const env = {
    PATH: process.env.PATH,
    GATELODGE_LISTEN: `127.0.0.1:${port}`,
    GATELODGE_DATABASE: `sqlite:${join(disk.folder, 'gatelodge.db')}`,
    GATELODGE_DATA_DIR: disk.folder,
    GATELODGE_REGISTRATION: 'instant',
    GATELODGE_RATE_LIMITS: 'off',
    GATELODGE_PASSWORD_HASH: 'm=7168,t=5,p=1',
    GATELODGE_LOG_LEVEL: 'error',
  }
  const [program = '', ...argv] = [...disk.prefix, process.execPath, bin, 'serve']
  const child = spawn(program, argv, { env, cwd: disk.folder, stdio: ['ignore', 'ignore', 'pipe'] })
  const ended = once(child, 'exit')
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  const origin = `http://127.0.0.1:${port}`
  for (let status = 0; status !== 200; ) {
    assert.equal(child.exitCode, null, said)
    status = (await fetch(`${origin}/healthz`).catch(() => undefined))?.status ?? 0
  }
  return {
    origin,
    api: `${origin}/api/v1/auth`,
    child,
    acknowledged: [],
    logged: () =>
      said
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line)),
    async end(signal) {
      child.kill(signal)
      await ended
    },
  }
}

function ask(server: Server, path: string, body: object): Promise<Response> {
  return fetch(`${server.api}/${path}`, { method: 'POST', headers: json, body: JSON.stringify(body) })
}

let people = 0

/** Sends sign-ups, at most 500, until one gets this status. */
async function signUpUntil(server: Server, status: number): Promise<Response> {
  for (let round = 0; round < 500; round += 1) {
    people += 1
    const email = `person${people}@example.com`
    const answer = await ask(server, 'signup', { email, password, username: `person${people}` })
    assert.ok(answer.status === 201 || answer.status === 503, `${answer.status}`)
    if (answer.status === 201) server.acknowledged.push(email)
    if (answer.status === status) return answer
  }
  throw new Error(`no request was answered with ${status}`)
}

async function signIn(server: Server): Promise<string> {
  const signedUp = await ask(server, 'signup', { email: 'ada@example.com', password, username: 'ada' })
  assert.equal(signedUp.status, 201)
  server.acknowledged.push('ada@example.com')
  const answer = await ask(server, 'signin', { email: 'ada@example.com', password, session: 'cookie' })
  return answer.headers
    .getSetCookie()
    .map((cookie) => cookie.split(';', 1)[0])
    .join('; ')
}

/** Asserts that nothing is corrupt and that every acknowledged sign-up has an account. */
function assertWhole(disk: Disk, acknowledged: readonly string[]): void {
  const db = new DatabaseSync(join(disk.folder, 'gatelodge.db'))
  assert.deepEqual(
    db
      .prepare('pragma integrity_check')
      .all()
      .map((row) => row.integrity_check),
    ['ok'],
  )
  assert.deepEqual(db.prepare('pragma foreign_key_check').all(), [])
  const stored = new Set(
    db
      .prepare('select email from users')
      .all()
      .map(({ email }) => email),
  )
  db.close()
  assert.ok(acknowledged.length > 1)
  assert.deepEqual(
    acknowledged.filter((email) => !stored.has(email)),
    [],
  )
}
