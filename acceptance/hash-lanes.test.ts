import assert from 'node:assert/strict'
import { Agent, request } from 'node:http'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { type CommandFolder, commandFolder, type ServerProcess } from '../packages/gatelodge/test/support/cli.ts'

/** How long each kind of flood lasts, in ms. */
const floodTime = process.env.PROOFS === 'quick' ? 2_500 : 30_000
/** Sign-ins of strangers per second, each from a network not used before. */
const rate = 330
/** How soon a known device must be signed in, in ms. */
const patience = 3_000
const password = 'quiet harbour 52'

const floods: Readonly<Record<string, (at: number) => string>> = {
  'in one /48': (at) => `2001:db8:1:${hex(at)}::1`,
  'in one /32': (at) => `2001:db8:${hex(at)}:1::1`,
  'spread over many /32': (at) => `${hex(0x2400 + (at % 0x1000))}:${hex(at)}:1:1::1`,
  'spread over IPv4': (at) => `${20 + (at % 100)}.${(at >> 8) & 255}.${at & 255}.7`,
}

const hex = (value: number) => (value & 0xffff).toString(16)

for (const [name, floodFrom] of Object.entries(floods)) {
  test(`under ${rate} sign-ins a second from fresh networks ${name}, a known device signs in every time within ${patience / 1_000} s`, async () => {
    await using folder = commandFolder({
      GATELODGE_PASSWORD_HASH: 'm=19456,t=2,p=1',
      GATELODGE_TRUSTED_PROXIES: '127.0.0.1',
      GATELODGE_LOG_LEVEL: 'error',
    })
    const { server, device } = await ownerOf(folder)
    const agent = new Agent({ keepAlive: true, maxSockets: 512 })
    const codes: Record<string, number> = {}
    const under: Promise<void>[] = []
    let sent = 0
    const start = performance.now()
    const flood = (async () => {
      while (performance.now() - start < floodTime) {
        for (; sent < ((performance.now() - start) / 1_000) * rate; sent += 1) {
          const body = { email: `p${sent}@example.com`, password: 'wrong harbour' }
          under.push(post(server, agent, '/signin', body, floodFrom(sent)).then(({ code }) => count(codes, code)))
        }
        await pause(5)
      }
    })()

    await pause(floodTime / 4) // the queue is full
    const took: number[] = []
    while (performance.now() - start < floodTime) {
      const asked = performance.now()
      const body = { email: 'ada@example.com', password }
      const told = await post(server, undefined, '/signin', body, '198.51.100.7', device)
      took.push(performance.now() - asked)
      assert.equal(told.status, 200, told.code)
      await pause(300)
    }
    await flood
    await Promise.all(under)
    agent.destroy()
    console.log(
      `# ${name}: ${sent} sign-ins ${JSON.stringify(codes)}; the known device took ${took.map(Math.round)} ms`,
    )
    assert.ok(Math.max(...took) < patience, `${Math.max(...took)} ms`)
    assert.ok((codes.overloaded ?? 0) > sent / 10, 'the flood was more than the machine can hash')
  })
}

/** Starts a server with one account. Returns it with the device cookie of the account's owner. */
async function ownerOf(folder: CommandFolder): Promise<{ server: ServerProcess; device: string }> {
  const { status, stderr } = await folder.run('admin create --email ada@example.com --password-stdin', {
    input: password,
  })
  assert.equal(status, 0, stderr)
  const server = await folder.serve()
  const told = await post(server, undefined, '/signin', { email: 'ada@example.com', password }, '198.51.100.7')
  assert.equal(told.status, 200, told.code)
  return { server, device: told.cookie }
}

function count(codes: Record<string, number>, code: string): void {
  codes[code] = (codes[code] ?? 0) + 1
}

interface Told {
  readonly status: number | undefined
  readonly code: string
  /** The device cookie that was set. */
  readonly cookie: string
}

function post(
  server: ServerProcess,
  agent: Agent | undefined,
  path: string,
  body: object,
  from: string,
  cookie?: string,
): Promise<Told> {
  const { promise, resolve, reject } = Promise.withResolvers<Told>()
  const headers = {
    'content-type': 'application/json',
    'x-forwarded-for': from,
    ...(cookie !== undefined && { cookie }),
  }
  const asked = request(`${server.origin}/api/v1/auth${path}`, { method: 'POST', headers, ...(agent && { agent }) })
  asked.on('error', reject)
  asked.on('response', (response) => {
    let text = ''
    response.setEncoding('utf8').on('data', (part: string) => {
      text += part
    })
    response.on('end', () => {
      const device = response.headers['set-cookie']?.find((one) => one.startsWith('gatelodge-device='))
      const code = String(JSON.parse(text).code ?? response.statusCode)
      resolve({ status: response.statusCode, code, cookie: device?.split(';', 1)[0] ?? '' })
    })
  })
  asked.end(JSON.stringify(body))
  return promise
}
