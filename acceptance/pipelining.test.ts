import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, fork } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { Agent, get } from 'node:http'
import { connect } from 'node:net'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Route } from '../packages/gatelodge/src/http/route.ts'
import { within } from '../packages/gatelodge/src/kernel/within.ts'
import { pages, routes } from '../packages/gatelodge/src/routes.ts'
import { concrete } from '../packages/gatelodge/test/support/attack.ts'
import { commandFolder, type ServerProcess } from '../packages/gatelodge/test/support/cli.ts'
import type { Flood, Flooded } from './pipelining/flood.ts'

const isQuick = process.env.PROOFS === 'quick'
const deep = 3_000
/** Requests before memory is measured, over connections that read. */
const warmUp = 20_000
/** How long a flood lasts, in ms. */
const floodTime = 3_000
/** The MB that a flood may add. How much of it V8 has already returned is random, and CI must not depend on that. */
const mostGrowth = isQuick ? 96 : 40
/** In ms. */
const mostP99 = 100
/** The cases for CI: little work and much, cached bytes and rendered pages, no route at all, whole and chunked bodies. */
const sample = [
  'GET /healthz',
  'GET /docs',
  'GET /openapi.json',
  'GET /login',
  'POST /api/v1/auth/signin',
  'POST /nowhere in chunks of one byte',
  'GET /nowhere',
]

const requests: Readonly<Record<string, string>> = {
  ...Object.fromEntries([...routes, ...pages].map((route) => [`${route.method} ${route.path}`, requestOf(route)])),
  'HEAD /docs': 'HEAD /docs HTTP/1.1\r\nHost: a\r\n\r\n',
  'GET /nowhere': 'GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n',
  'GET /login with a query': `GET /login?${'x'.repeat(2_000)} HTTP/1.1\r\nHost: a\r\n\r\n`,
  'POST /nowhere in chunks of one byte': `POST /nowhere HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${'1\r\nx\r\n'.repeat(200)}0\r\n\r\n`,
  'a malformed head': 'GET\r\n\r\n',
}

for (const [name, request] of Object.entries(requests).filter(([each]) => !isQuick || sample.includes(each))) {
  test(`${name}, ${deep} deep: adds less than ${mostGrowth} MB, and another client’s p99 stays under ${mostP99} ms`, async () => {
    await using folder = commandFolder({ GATELODGE_LOG_LEVEL: 'error' })
    const server = await folder.serve()
    const { port } = server.started.listen
    using flooder = startFlooder()
    await flooder.run({ port, request, connections: 20, deep: warmUp / 20, reads: true, ms: 60_000 })
    const before = residentMb(server)
    const figures = []
    for (const connections of [1, 150]) {
      for (const reads of [true, false]) {
        const watched = watch(server)
        const { answers } = await flooder.run({ port, request, connections, deep, reads, ms: floodTime })
        const { p99, peak } = await watched.stop()
        figures.push({ connections, reads, answers, p99: Math.round(p99), added: Math.round(peak - before) })
      }
    }
    console.log(`# ${name}: from ${Math.round(before)} MB ${JSON.stringify(figures)}`)
    for (const figure of figures) {
      assert.ok(figure.added < mostGrowth, JSON.stringify(figure))
      assert.ok(figure.p99 < mostP99, JSON.stringify(figure))
    }
  })
}

test('timeouts are as documented: 10 s for a head, 30 s for a request, 20 s for a client that takes nothing of an answer', async () => {
  await using folder = commandFolder({ GATELODGE_LOG_LEVEL: 'error' })
  const server = await folder.serve()
  const [silent, head, body, unread] = await Promise.all([
    endOf(server, ''),
    endOf(server, 'GET / HTTP/1.1\r\nHost: a\r\nX: '),
    endOf(
      server,
      'POST /api/v1/auth/signin HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{',
    ),
    endOf(server, 'GET /docs HTTP/1.1\r\nHost: a\r\n\r\n', false),
  ])
  console.log(`# silent ${silent.after} s, head ${head.after} s, body ${body.after} s, unread ${unread.after} s`)
  for (const { after, answer } of [silent, head]) {
    assert.match(answer, /^HTTP\/1\.1 408 /)
    assert.ok(after >= 9.9 && after < 13, `${after} s`)
  }
  assert.match(body.answer, /^HTTP\/1\.1 408 /)
  assert.ok(body.after >= 29.9 && body.after < 33, `${body.after} s`)
  assert.ok(unread.after >= 19.9 && unread.after < 30, `${unread.after} s`)
})

/** Returns what the server answers to some bytes, and after how many seconds it closes the connection. A client that does not read keeps sending. */
async function endOf(server: ServerProcess, bytes: string, reads = true): Promise<{ answer: string; after: number }> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const socket = connect(server.started.listen.port, '127.0.0.1')
  const begun = performance.now()
  let answer = ''
  socket.on('error', () => {})
  socket.once('close', resolve)
  if (reads) socket.setEncoding('latin1').on('data', (part: string) => (answer += part))
  else socket.pause()
  socket.write(bytes)
  const drip = setInterval(() => !reads && socket.write(bytes), 10)
  await within(60_000, promise, () => new Error('not ended within a minute')).finally(() => {
    clearInterval(drip)
    socket.destroy()
  })
  return { answer, after: (performance.now() - begun) / 1_000 }
}

function requestOf(route: Route): string {
  const head = `${route.method} ${concrete(route)} HTTP/1.1\r\nHost: a\r\n`
  if (!route.body && !route.upload) return `${head}\r\n`

  const isForm = route.surface !== 'json'
  const isSignIn = route.path.endsWith('/signin')
  const json = isSignIn ? '{"email":"nobody@example.com","password":"wrong harbour 53"}' : '{}'
  const body = isForm ? 'a=b' : json
  const type = isForm ? 'application/x-www-form-urlencoded' : 'application/json'
  return `${head}Content-Type: ${type}\r\nContent-Length: ${body.length}\r\n\r\n${body}`
}

/** Sends one request after the other, as a client that waits for each answer does, and watches the server's memory. */
function watch(server: ServerProcess): { stop(): Promise<{ p99: number; peak: number }> } {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const took: number[] = []
  let peak = 0
  let isOver = false
  const look = setInterval(() => {
    peak = Math.max(peak, residentMb(server))
  }, 20)
  const asked = (async () => {
    while (!isOver) {
      const begun = performance.now()
      await healthOf(server, agent)
      took.push(performance.now() - begun)
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
  })()
  return {
    async stop() {
      isOver = true
      clearInterval(look)
      await asked
      agent.destroy()
      took.sort((a, b) => a - b)
      return { p99: took[Math.floor(took.length * 0.99)] ?? Number.NaN, peak }
    },
  }
}

async function healthOf({ origin }: ServerProcess, agent: Agent): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  get(`${origin}/healthz`, { agent }, (response) => {
    response.resume().once('end', () => (response.statusCode === 200 ? resolve() : reject(new Error('not healthy'))))
  }).once('error', reject)
  await promise
}

function startFlooder(): { run(flood: Flood): Promise<Flooded>; [Symbol.dispose](): void } {
  const child: ChildProcess = fork(fileURLToPath(new URL('pipelining/flood.ts', import.meta.url)), { execArgv: [] })
  return {
    async run(flood) {
      child.send(flood)
      const ended = once(child, 'exit').then(() => assert.fail('the flood ended by itself'))
      const [flooded] = await Promise.race([once(child, 'message'), ended])
      return flooded
    },
    [Symbol.dispose]: () => void child.kill(),
  }
}

/** Returns the resident memory in MB. */
function residentMb({ child: { pid } }: ServerProcess): number {
  if (process.platform !== 'linux')
    return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })) / 1024

  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024
}
