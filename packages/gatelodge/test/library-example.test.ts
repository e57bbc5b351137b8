import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'

const script = new URL('../../../examples/embedded/server.ts', import.meta.url).pathname
const person = { email: 'ada@example.com', password: 'quiet harbour 52' }

test('the embedded example signs a person up and in, and greets them', {
  timeout: 30_000,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'gatelodge-embedded-'))
  const origin = `http://localhost:${await freePort()}`
  const example = spawn(process.execPath, [script], { cwd: folder, env: { PORT: new URL(origin).port } })
  const exited = once(example, 'exit')
  try {
    await listening(example)
    assert.equal((await fetch(`${origin}/hello`)).status, 401)

    assert.equal((await post(`${origin}/api/v1/auth/signup`, person)).status, 201)
    const token = await mailedToken(origin)
    const confirmed = await post(`${origin}/api/v1/auth/verify-email`, { token, password: person.password })
    assert.equal(confirmed.status, 200)
    const signedIn: unknown = await (await post(`${origin}/api/v1/auth/signin`, person)).json()
    assert.ok(typeof signedIn === 'object' && signedIn !== null && 'access_token' in signedIn)

    const hello = await fetch(`${origin}/hello`, { headers: { authorization: `Bearer ${signedIn.access_token}` } })
    assert.equal(await hello.text(), `Hello ${person.email}\n`)

    const stranger = await fetch(`${origin}/home`, { redirect: 'manual' })
    assert.deepEqual([stranger.status, stranger.headers.get('location')], [303, '/login?next=/home'])
    const byCookie = await post(`${origin}/api/v1/auth/signin`, { ...person, session: 'cookie' })
    const cookie = byCookie.headers.getSetCookie().map((value) => value.split(';')[0])
    const home = await fetch(`${origin}/home`, { headers: { cookie: cookie.join('; ') } })
    assert.equal(await home.text(), `Welcome home, ${person.email}\n`)
    assert.equal(statSync(join(folder, 'data/secret')).mode & 0o777, 0o600)
  } finally {
    example.kill('SIGTERM')
    assert.deepEqual(await exited, [0, null])
    rmSync(folder, { recursive: true })
  }
})

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address !== null ? address.port : 0
}

async function listening(example: ChildProcess): Promise<void> {
  assert.ok(example.stdout)
  for await (const line of createInterface({ input: example.stdout })) if (line.startsWith('listening')) return
  assert.fail('the example ended before it listened')
}

function post(url: string, body: unknown): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
}

/** Returns the token of the newest link in the development mailbox; waits for the email. */
async function mailedToken(origin: string): Promise<string> {
  for (;;) {
    const list = await (await fetch(`${origin}/dev/mailbox`)).text()
    const path = /\/dev\/mailbox\/[\w-]+/.exec(list)?.[0]
    const mail = path === undefined ? '' : await (await fetch(origin + path)).text()
    const token = /verify-email\?token=([\w.-]+)/.exec(mail)?.[1]
    if (token !== undefined) return token
  }
}
