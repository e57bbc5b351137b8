import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { sql } from 'kysely'
import { type Engine, forEachDatabase } from '../../test/support/app.ts'
import { bin, type CommandFolder, commandFolder, commandFolderOn } from '../../test/support/cli.ts'
import { openLocation } from '../../test/support/databases.ts'
import { freePort } from '../../test/support/postgres.ts'
import { until } from '../../test/support/until.ts'

const password = 'quiet harbour 52'
const email = 'root@example.com'
const json = { 'content-type': 'application/json' }

/** Ways to lose the readers of a server's output: how it is started, and what happens once it serves. */
const losses: Readonly<Record<string, { shell?: string; lose?: (child: ChildProcess) => void }>> = {
  'standard output is closed by its reader': { lose: ({ stdout }) => stdout?.destroy() },
  'standard error is closed by its reader': { lose: ({ stderr }) => stderr?.destroy() },
  'both are closed by their readers': {
    lose({ stdout, stderr }) {
      stdout?.destroy()
      stderr?.destroy()
    },
  },
  'both were closed before the start': { shell: 'exec "$0" "$@" >&- 2>&-' },
  'the program that both are piped to ends': { shell: 'mkfifo pipe; head -c 1 <pipe >&2 & exec "$0" "$@" >pipe 2>&1' },
  'neither has a reader': {},
  ...(existsSync('/dev/full') && { 'both lead to a full disk': { shell: 'exec "$0" "$@" >/dev/full 2>&1' } }),
}

forEachDatabase('a server without readers', (engine) => {
  for (const [name, { shell, lose }] of Object.entries(losses)) {
    test(`${name}: the server responds, logs what it can and stops on request`, async () => {
      await using server = await startServer(engine, shell)
      lose?.(server.child)
      await assertServes(server, 20)
      assert.equal(await server.end(), 0)
    })
  }

  test('dropped lines are counted, and reported in the log once it is read again', async () => {
    await using server = await startServer(engine, undefined)
    await assertServes(server, flood)
    let log = ''
    server.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      log += text
    })
    await until(() => log.includes('lines were dropped'))
    const entries = log
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    const dropped = entries.filter(({ msg }) => /lines were dropped/.test(String(msg)))
    assert.ok(dropped.every(({ level, stream, lines }) => level === 'warn' && stream === 'stderr' && Number(lines) > 0))
    const failures = entries.filter(({ msg }) => msg === 'unexpected error').length
    assert.equal(failures + dropped.reduce((sum, { lines }) => sum + Number(lines), 0), flood)
    await server.end()
  })
})

test('a command whose reader closes the pipe exits quietly; without a reader of standard error its exit status stays the same', async () => {
  await using folder = commandFolder()
  await folder.json(`admin create --email ${email} --password-stdin`, password)
  const run = async (command: string) => {
    const child = spawn('sh', ['-c', command, process.execPath, bin], { cwd: folder.path, env: envOf(folder) })
    let told = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      told += text
    })
    const [status] = await once(child, 'close')
    return [status, told]
  }
  assert.deepEqual(await run('{ "$0" "$1" user list; echo $? >&2; } | true'), [0, '0\n'])
  assert.deepEqual(await run('"$0" "$1" user show unknown 2>&1 | true; "$0" "$1" user show unknown 2>&-'), [1, ''])
})

test('the library logs to standard error, and its host program continues when that is not read', async () => {
  const host = `
    import { once } from 'node:events'
    import { createAuth } from ${JSON.stringify(new URL('../index.ts', import.meta.url).href)}
    const auth = await createAuth({ secret: 'x'.repeat(40), settings: { database: 'sqlite::memory:' }, startJobs: false })
    console.log('up')
    await once(process.stdin, 'data')
    await auth.close()
    const statuses = new Set()
    for (let round = 0; round < 50; round += 1)
      statuses.add((await auth.fetch(new Request('http://localhost:3000/readyz'))).status)
    console.log([...statuses].join())
    process.stdin.destroy()`
  const child = spawn(process.execPath, ['--input-type=module', '-e', host])
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  assert.equal((await lines.next()).value, 'up')
  child.stderr.destroy()
  child.stdin.write('go')
  assert.equal((await lines.next()).value, '503')
  assert.equal((await once(child, 'exit'))[0], 0)
})

interface Server extends AsyncDisposable {
  readonly child: ChildProcess
  readonly api: string
  /** Stops the server and returns its exit status. */
  end(): Promise<number | null>
}

/** Log lines that exceed a megabyte, and the capacity of a pipe. */
const flood = 1_500

/** Starts a server in its own process with one table missing, so that requests for it write to the log. */
async function startServer(engine: Engine, shell: string | undefined): Promise<Server> {
  const folder = await commandFolderOn(engine)
  await folder.json(`admin create --email ${email} --password-stdin`, password)
  const store = await openLocation(folder.database)
  const origin = `127.0.0.1:${await freePort()}`
  const argv = [process.execPath, bin, 'serve', '--listen', origin]
  const [program = '', ...rest] = shell === undefined ? argv : ['sh', '-c', shell, ...argv]
  const child = spawn(program, rest, { cwd: folder.path, env: envOf(folder), detached: true })
  const ended = once(child, 'exit')
  const group = -(child.pid ?? 0)
  await until(async () => (await fetch(`http://${origin}/healthz`).catch(() => undefined))?.status === 200)
  await store.transaction((db) => sql`alter table api_tokens rename to gone`.execute(db))
  return {
    child,
    api: `http://${origin}/api/v1/auth`,
    async end() {
      process.kill(group, 'SIGTERM')
      await ended
      return child.exitCode
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) process.kill(group, 'SIGKILL')
      await ended
      await sql`alter table gone rename to api_tokens`.execute(store.migrationDb)
      await store.close()
      await folder[Symbol.asyncDispose]()
    },
  }
}

let people = 0

/** Checks that sign-up and sign-in work before and after this many requests that write to the log. */
async function assertServes({ api }: Server, failures: number): Promise<void> {
  const signIn = await ask(`${api}/signin`, { email, password })
  assert.equal(signIn.status, 200)
  const { access_token: token } = (await signIn.json()) as { access_token: string }
  const headers = { authorization: `Bearer ${token}` }
  for (let left = failures; left > 0; left -= 10) {
    const told = await Promise.all(Array.from({ length: 10 }, () => fetch(`${api}/me/tokens`, { headers })))
    for (const answer of told) assert.equal(((await answer.json()) as { code: string }).code, 'internal')
    people += 1
    if (left > 20) continue
    const signUp = await ask(`${api}/signup`, { email: `person${people}@example.com`, password })
    assert.equal(signUp.status, 201)
  }
  assert.equal((await fetch(`${api}/session`, { headers })).status, 200)
}

function ask(url: string, body: object): Promise<Response> {
  return fetch(url, { method: 'POST', headers: json, body: JSON.stringify(body) })
}

function envOf({ env }: Pick<CommandFolder, 'env'>) {
  return { PATH: process.env.PATH, ...env }
}
