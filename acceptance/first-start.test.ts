import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { freePort } from '../packages/gatelodge/test/support/postgres.ts'

const root = fileURLToPath(new URL('../', import.meta.url))
/** In ms; doubled in quick runs, because such a machine may be busy. */
const longest = process.env.PROOFS === 'quick' ? 4_000 : 2_000

test('npm start in a clean checkout serves within seconds', async () => {
  const starts: number[] = []
  for (let turn = 0; turn < 3; turn += 1) starts.push((await firstStart()).ms)
  console.log(`# first 200 after ${starts.map((ms) => ms.toFixed(0)).join(', ')} ms`)
  assert.ok(Math.min(...starts) < longest, `${starts}`) // other load slows down one start, not all of them
})

// Stripping types takes 20 MB, in each thread.
test('the first server of a checkout runs the program built from its source, and so do its hashing threads', async () => {
  const { stderr } = await firstStart({ NODE_DEBUG_NATIVE: 'COMPILE_CACHE' })
  const lines = stderr.split('\n')
  const read = lines.filter((line) => line.includes('reading cache'))
  for (const name of ['main', 'hash-worker'])
    assert.ok(
      read.some((line) => line.includes(`/${name}.js`)),
      name,
    )
  assert.deepEqual(
    lines.filter((line) => line.includes('no transpile cache')),
    [],
  )
  assert.deepEqual(
    read.filter((line) => line.includes('/src/')),
    [],
  )
})

/** Returns the ms from `npm start` to the first 200, in a folder where nothing has run yet, and the output until after a sign-in. */
async function firstStart(env: Readonly<Record<string, string>> = {}): Promise<{ ms: number; stderr: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'gatelodge-first-start-'))
  const tracked = execFileSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8' }).split('\0').filter(Boolean)
  for (const file of tracked.filter((file) => /^(?:package\.json|packages\/)/.test(file)))
    cpSync(join(root, file), join(folder, file), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules')) // what `npm ci` installs there

  let ms = Number.NaN
  let stderr = ''
  const port = await freePort()
  const startedAt = performance.now()
  const child = spawn('npm', ['start', '--', '--listen', `127.0.0.1:${port}`], {
    cwd: folder,
    env: { PATH: pathOf(process.env), HOME: folder, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
  })
  const said = text(child.stderr)
  try {
    while (!(await isUp(port))) {
      assert.equal(child.exitCode, null, 'npm start has ended')
      await pause(5)
    }
    ms = performance.now() - startedAt
    assert.equal(await signInStatus(port), 401)
  } finally {
    const gone = once(child, 'exit')
    process.kill(-(child.pid as number), 'SIGTERM') // npm and what it started
    await gone
    stderr = await said
    rmSync(folder, { recursive: true, force: true })
  }
  return { ms, stderr }
}

/** Returns the status for an unknown user, whose password is hashed like any other. */
async function signInStatus(port: number): Promise<number> {
  const { status } = await fetch(`http://127.0.0.1:${port}/api/v1/auth/signin`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: 'ada@example.com', password: 'quiet harbour 52', session: 'cookie' }),
  })
  return status
}

/** Returns the PATH without the folders that npm prepends. */
function pathOf({ PATH = '' }: NodeJS.ProcessEnv): string {
  const ours = new Set([dirname(process.execPath), join(root, 'node_modules/.bin')])
  return PATH.split(':')
    .filter((entry) => !ours.has(entry))
    .join(':')
}

function isUp(port: number): Promise<boolean> {
  return fetch(`http://127.0.0.1:${port}/healthz`).then(
    ({ ok }) => ok,
    () => false,
  )
}
