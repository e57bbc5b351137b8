import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { commandFolder } from '../packages/gatelodge/test/support/cli.ts'
import { freePort } from '../packages/gatelodge/test/support/postgres.ts'

/**
 * Runs examples/nginx with only its two ports replaced, and tries to get in: `node scripts/nginx-example.ts`. It needs `nginx` on the PATH (Debian: `apt-get
 * install nginx`).
 */
const password = 'quiet harbour 52'
const port = await freePort()
const origin = `http://localhost:${port}`
const page = `${origin}/handbook/`

await using folder = commandFolder({ GATELODGE_PUBLIC_URL: origin, GATELODGE_TRUSTED_PROXIES: '127.0.0.1' })
const server = await folder.serve()
await folder.json('admin create --email ada@example.com --password-stdin', password)
const nginx = await startNginx(new URL(server.origin).host)
try {
  const json = { 'content-type': 'application/json' }
  const signedIn = await ask(`${origin}/api/v1/auth/signin`, {
    method: 'POST',
    headers: json,
    body: JSON.stringify({ email: 'ada@example.com', password }),
  })
  const { access_token } = (await signedIn.json()) as { access_token: string }
  const bearer = bearing(access_token)
  const byCookie = await ask(`${origin}/api/v1/auth/signin`, {
    method: 'POST',
    headers: json,
    body: JSON.stringify({ email: 'ada@example.com', password, session: 'cookie' }),
  })
  const cookie = { headers: { cookie: byCookie.headers.getSetCookie().map(pairOf).join('; ') } }
  const apiToken = async (scopes: string[]) => {
    const headers = { ...json, ...bearer.headers }
    const body = JSON.stringify({ name: 'script', scopes })
    const made = await ask(`${origin}/api/v1/auth/me/tokens`, { method: 'POST', headers, body })
    return bearing(((await made.json()) as { token: string }).token)
  }

  for (const way of [bearer, cookie, await apiToken(['handbook'])]) {
    const told = await ask(page, way)
    assert.equal(told.status, 200)
    assert.match(await told.text(), /<h1>/)
    assert.equal(told.headers.get('cache-control'), 'private, no-cache')
  }
  for (const way of [{}, bearing('something-else'), { headers: { 'x-auth-user': 'mallory' } }]) {
    const told = await ask(page, way)
    assert.deepEqual([told.status, told.headers.get('location')], [302, `${origin}/login?next=%2Fhandbook%2F`])
  }
  assert.equal((await ask(page, await apiToken(['other']))).status, 403)
  assert.equal((await ask(`${origin}/login?next=%2Fhandbook%2F`)).status, 200)
  assert.equal((await ask(`${origin}/handbook`)).headers.get('location'), '/handbook/')

  await server.end()
  for (const way of [{}, bearer, cookie]) assert.equal((await ask(page, way)).status, 500)
  console.log('Verdict: all checks passed.')
} finally {
  await nginx.stop()
}

async function startNginx(upstream: string): Promise<{ stop(): Promise<void> }> {
  const place = mkdtempSync(join(tmpdir(), 'gatelodge-nginx-'))
  chmodSync(place, 0o755) // its workers run as another user
  cpSync(fileURLToPath(new URL('../examples/nginx', import.meta.url)), place, { recursive: true })
  const file = join(place, 'nginx.conf')
  const text = readFileSync(file, 'utf8')
  assert.ok(text.includes('127.0.0.1:8080') && text.includes('127.0.0.1:3000'))
  writeFileSync(file, text.replace('127.0.0.1:8080', `127.0.0.1:${port}`).replace('127.0.0.1:3000', upstream))
  mkdirSync(join(place, 'run'), { recursive: true })
  const child = spawn('nginx', ['-p', place, '-c', 'nginx.conf', '-e', 'stderr'], { stdio: 'inherit' })
  const kill = () => child.kill('SIGKILL')
  process.once('exit', kill)
  for (let tries = 0; !(await isUp()); tries += 1) {
    assert.ok(tries < 100 && child.exitCode === null, 'nginx did not start')
    await pause(50)
  }
  return {
    async stop() {
      const gone = once(child, 'exit')
      child.kill('SIGTERM')
      await gone
      process.off('exit', kill)
      rmSync(place, { recursive: true })
    },
  }
}

function isUp(): Promise<boolean> {
  return ask(`${origin}/healthz`).then(
    ({ status }) => status === 200,
    () => false,
  )
}

function ask(url: string, init: RequestInit = {}): Promise<Response> {
  return fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(10_000), ...init })
}

function bearing(token: string): { headers: { authorization: string } } {
  return { headers: { authorization: `Bearer ${token}` } }
}

function pairOf(cookie: string): string {
  return cookie.split(';')[0] ?? ''
}
