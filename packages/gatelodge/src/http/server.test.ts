import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import type { LogFields } from '../kernel/log.ts'
import { within } from '../kernel/within.ts'
import type { Fetch } from './app.ts'
import { type Bounds, type RunningServer, startServer } from './server.ts'

const minute = 60_000
const patient: Bounds = { head: minute, request: minute, write: minute, idle: minute, look: 5, connections: 100 }
const hello: Fetch = () => new Response('hello')

test('a late head is answered 408 and its connection is closed; so is a connection that sends nothing', async () => {
  for (const sent of ['GET / HTTP/1.1\r\nHost: a\r\nX: ', '']) {
    await using server = await serve(hello, { head: 100 })
    const socket = connect(server.address.port, '127.0.0.1')
    socket.write(sent)
    assert.match(await soon(text(socket)), /^HTTP\/1\.1 408 /)
  }
})

test('the time of a head does not run while the answers before it are awaited', async () => {
  const released = Promise.withResolvers<void>()
  const answer: Fetch = async () => {
    await released.promise
    return new Response('<hello>')
  }
  await using server = await serve(answer, { head: 200 })
  const socket = connect(server.address.port, '127.0.0.1')
  socket.write(`${'GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(3)}GET / HTTP/1.1\r\n`)
  setTimeout(() => socket.write('Host: a\r\nConnection: close\r\n\r\n'), 20)
  setTimeout(() => released.resolve(), 600)
  assert.equal((await text(socket)).match(/<hello>/g)?.length, 4)
})

test('a late body is answered 408 and its connection is closed, also behind other requests', async () => {
  const post = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf'
  for (const before of ['', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(3)]) {
    await using server = await serve(async (request) => new Response(await request.text()), { head: 100, request: 200 })
    const socket = connect(server.address.port, '127.0.0.1')
    socket.write(before + post)
    assert.match(await soon(text(socket)), /HTTP\/1\.1 408 /)
  }
})

test('a body behind an expectation that is not met is not awaited', async () => {
  await using server = await serve(hello, {})
  const socket = connect(server.address.port, '127.0.0.1').on('error', () => {})
  socket.write('POST / HTTP/1.1\r\nHost: a\r\nExpect: cake\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n')
  const drip = setInterval(() => socket.write('1\r\nx\r\n'), 50)
  const answers = await soon(text(socket)).finally(() => clearInterval(drip))
  assert.deepEqual(answers.match(/HTTP\/1\.1 \d+/g), ['HTTP/1.1 417'])
})

test('a connection whose other end takes nothing of an answer is ended, though it goes on sending', async () => {
  for (const requests of [1, 50]) {
    const closed = Promise.withResolvers<void>()
    const answer: Fetch = (_request, env) => {
      env?.incoming?.socket.once('close', () => closed.resolve())
      return new Response('x'.repeat(32 * 2 ** 20))
    }
    await using server = await serve(answer, { write: 40 })
    const socket = connect(server.address.port, '127.0.0.1').on('error', () => {})
    socket.pause().write(`${'GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(requests)}GET / HTTP/1.1\r\nX: `)
    const drip = setInterval(() => socket.write('x'), 5)
    await soon(closed.promise)
    clearInterval(drip)
    socket.destroy()
  }
})

test('who takes an answer slowly gets all of it', async () => {
  const size = 32 * 2 ** 20
  await using server = await serve(() => new Response('x'.repeat(size)), { write: 200 })
  const socket = connect(server.address.port, '127.0.0.1')
  socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
  let received = 0
  for await (const part of slowly(socket)) received += part.length
  assert.ok(received > size, `${received}`)
})

test('connections beyond the limit are closed, with one line in the log', async () => {
  const lines: LogFields[] = []
  await using server = await serve(hello, { connections: 2 }, (fields) => lines.push(fields))
  const first = await opened(server)
  const second = await opened(server)
  for (let turn = 0; turn < 5; turn += 1) {
    const socket = connect(server.address.port, '127.0.0.1').on('error', () => {})
    await once(socket.resume(), 'close')
  }
  assert.deepEqual(lines, [{ connections: 2, dropped: 1 }])

  first.destroy()
  second.end('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
  assert.match(await text(second), /hello$/)
  await opened(server)
})

/** Rejects after a time that is long for our timeouts, and short for the defaults of Node.js. */
function soon<T>(done: Promise<T>): Promise<T> {
  return within(10_000, done, () => new Error('not within 10 s'))
}

async function* slowly(socket: Socket): AsyncGenerator<Buffer> {
  for await (const part of socket) {
    yield part
    await new Promise((resolve) => setImmediate(resolve))
  }
}

async function opened({ address }: RunningServer): Promise<Socket> {
  const socket = connect(address.port, '127.0.0.1')
  socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  await once(socket, 'data')
  return socket
}

async function serve(
  fetch: Fetch,
  bounds: Partial<Bounds>,
  warn: (fields: LogFields) => void = () => {},
): Promise<RunningServer & AsyncDisposable> {
  const server = await startServer(fetch, { host: '127.0.0.1', port: 0 }, { warn }, { ...patient, ...bounds })
  return { ...server, [Symbol.asyncDispose]: () => server.stop(0) }
}
