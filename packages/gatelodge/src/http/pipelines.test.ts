import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Fetch } from './app.ts'
import { type RunningServer, startServer } from './server.ts'

const numbers = (count: number) => Array.from({ length: count }, (_, index) => index)
const get = (path: string | number) => `GET /${path} HTTP/1.1\r\nHost: a\r\n\r\n`

test('one request of a connection is under way, and the answers are those of the requests in their order', async () => {
  let underWay = 0
  let most = 0
  await using server = await serve(async ({ url }) => {
    underWay += 1
    most = Math.max(most, underWay)
    await nextTurn()
    underWay -= 1
    return new Response(`<${pathOf(url)}>`)
  })
  const client = await server.client()
  client.socket.write(numbers(300).map(get).join(''))
  await client.until('<299>')
  assert.deepEqual(client.bodies(), numbers(300).map(String))
  assert.equal(most, 1)
})

test('another client’s request goes between those of a flood, with and without bodies', async () => {
  for (const request of [get('flood'), post('flood', 'x'), toWire('chunked', 'flood', '')]) {
    const counts = { floods: 0, before: 0 }
    await using server = await serve(countFloods(counts))
    const [attacker, other] = [await server.client(), await server.client()]
    attacker.socket.write(request.repeat(2_000))
    await attacker.until('<done>')
    other.socket.write(get('other'))
    await other.until('<done>')
    await attacker.times(2_000)
    assert.ok(counts.before < 1_000, `${counts.before} of the flood were served before`)
  }
})

test('of hundreds of requests on each of forty connections few are parsed, and fewer are under way, while none is answered', async () => {
  const noHost = 'GET / HTTP/1.1\r\n\r\n'
  for (const request of [get('flood'), post('flood', 'body'), toWire('chunked', 0, 'body'), noHost]) {
    const released = Promise.withResolvers<void>()
    let begun = 0
    await using server = await serve(async ({ url }) => {
      if (pathOf(url) === 'other') return new Response('<other>')
      begun += 1
      await released.promise
      return new Response('<done>')
    })
    const other = await server.client()
    const parsed = await parsedWhile(async () => {
      for (const wave of [0, 1, 2]) {
        const clients = await Promise.all(numbers(15).map(() => server.client()))
        for (const { socket } of clients) socket.write(get('other'))
        for (const client of clients) await client.times(1)
        for (const { socket } of clients) socket.write((request === noHost ? get('flood') : '') + request.repeat(600))
        for (const turn of numbers(30)) {
          other.socket.write(get('other'))
          await other.times(wave * 30 + turn + 1)
        }
      }
    })
    assert.ok(begun <= 45 + 8, `${begun} under way`)
    assert.ok(parsed < 64 + 3_000, `${parsed} parsed`) // one read, what waited before it, and a few per connection
    released.resolve()
  }
})

test('of a hundred connections that ask for more at once, eight are answered for each turn of the others', async () => {
  const counts = { floods: 0, before: 0 }
  await using server = await serve(countFloods(counts))
  const [first, other] = [await server.client(), await server.client()]
  first.socket.write(get('flood').repeat(200)) // from here on all connections are read in pieces
  await first.times(200)
  const clients = await Promise.all(numbers(100).map(() => server.client()))
  for (const { socket } of clients) socket.write(get('flood').repeat(100))
  for (const client of clients) await client.times(2)
  const at = counts.floods
  other.socket.write(get('other'))
  await other.times(1)
  assert.ok(counts.before - at < 96, `${counts.before - at} of the flood were served before`)
  for (const client of clients) await client.times(100)
})

test('eight pipelined requests are under way concurrently, before a flood and after', async () => {
  for (const flood of ['', get('quick').repeat(200)]) {
    const released = Promise.withResolvers<void>()
    let held = 0
    await using server = await serve(async ({ url }) => {
      if (pathOf(url) === 'held') {
        held += 1
        await released.promise
      }
      return new Response('<done>')
    })
    const other = await server.client()
    other.socket.write(get('other') + flood)
    await other.times(flood === '' ? 1 : 201)
    const clients = await Promise.all(numbers(30).map(() => server.client()))
    for (const { socket } of clients) socket.write(get('quick') + get('held').repeat(2))
    for (const client of clients) await client.times(1)
    for (const turn of numbers(30)) {
      const late = await server.client()
      late.socket.write(get(turn))
      await late.times(1)
    }
    assert.equal(held, 8)
    released.resolve()
    for (const client of clients) await client.times(3)
  }
})

test('an unread body is not received, and a body made of header terminators takes its turns', async () => {
  const released = Promise.withResolvers<void>()
  let turns = 0
  let taken = () => 0
  await using server = await serve(async (request, env) => {
    const socket = env?.incoming?.socket
    if (pathOf(request.url) === 'unread') {
      taken = () => socket?.bytesRead ?? 0
      await released.promise
    }
    const from = turns
    const { length } = await request.text()
    return new Response(`<${length} ${turns - from}>`)
  })
  const unread = await server.client()
  unread.socket.write(get(1).repeat(3) + post('unread', 'x'.repeat(16 * 2 ** 20)))
  const client = await server.client()
  const counting = countTurns(() => (turns += 1))
  const body = 'a\r\n\r\n'.repeat(40_000)
  client.socket.write(get(1).repeat(3))
  await client.times(3)
  client.socket.write(post('read', body))
  await client.times(4)
  counting.stop()
  assert.ok(taken() < 2 ** 19, `${taken()} bytes were read`)
  released.resolve()
  await unread.times(4)
  const [length, took] = client.bodies().at(-1)?.split(' ').map(Number) ?? []
  assert.equal(length, body.length)
  assert.ok(Number(took) > 200, `${took} turns`)
})

test('bodies in chunks of one byte take their turns, a few in each', async () => {
  let turns = 0
  await using server = await serve(async (request) => {
    await request.text()
    return new Response(`<${turns}>`)
  })
  const clients = await Promise.all(numbers(40).map(() => server.client()))
  const counting = countTurns(() => (turns += 1))
  for (const { socket } of clients) socket.write(toWire('bytes', 1, 'x'.repeat(40_000)))
  for (const client of clients) await client.times(1)
  counting.stop()
  const last = Math.max(...clients.map((client) => Number(client.bodies()[0])))
  assert.ok(last > 150, `${last} turns`)
})

test('chunked bodies that arrive whole, from many connections or one, are not all parsed and answered in one turn', async () => {
  for (const { connections, requests, length, isRead } of [
    { connections: 100, requests: 1, length: 5_000, isRead: true },
    { connections: 1, requests: 200, length: 40, isRead: false },
  ]) {
    let whole = 0
    await using server = await serve(async (request) => {
      if (pathOf(request.url) === 'accepted') return new Response('<accepted>')
      if (isRead) await request.text()
      whole += 1
      return new Response('<done>')
    })
    const clients = await Promise.all(numbers(connections).map(() => server.client()))
    for (const { socket } of clients) socket.write(get('accepted'))
    for (const client of clients) await client.times(1)
    const byTurn: number[] = []
    const counting = countTurns(() => byTurn.push(whole))
    for (const { socket } of clients) socket.write(toWire('bytes', 1, 'x'.repeat(length)).repeat(requests))
    for (const client of clients) await client.times(1 + requests)
    counting.stop()
    const most = Math.max(...byTurn.map((count, turn) => count - (byTurn[turn - 1] ?? 0)))
    assert.ok(most < 20, `${most} in one turn`)
  }
})

test('who does not read is not answered or read from further, and leaves nothing under way when the connection ends', async () => {
  let begun = 0
  let unread: Socket | undefined
  const page = 'x'.repeat(8 * 2 ** 20)
  await using server = await serve(({ url }, env) => {
    if (pathOf(url) === 'small') return new Response('<small>')
    begun += 1
    if (pathOf(url) === 'page') unread = env?.incoming?.socket
    return new Response(page)
  })
  const client = await server.client()
  client.socket.write(get('small').repeat(2_500))
  client.socket.write(get('page').repeat(20_000))
  await client.times(2_500)
  client.socket.pause()
  const other = await server.client()
  for (const turn of numbers(10)) {
    other.socket.write(get(turn))
    await other.grown((turn + 1) * page.length)
  }
  assert.ok(begun - 10 <= 3, `${begun - 10} answers were made`)
  assert.ok(Number(unread?.bytesRead) < 160 * 1024, `${unread?.bytesRead} bytes were read`) // the small ones, and 64 KiB
  unread?.destroy()
  client.socket.destroy()
  await server.stop(1_000)
  assert.ok(begun - 10 <= 3)
})

test('a client that starts reading late gets everything, whether it pipelined its requests or not', async () => {
  const page = `<${'x'.repeat(2 ** 18)}>`
  await using server = await serve(({ url }) => new Response(pathOf(url) === 'page' ? page : '<other>'))
  for (const [times, pages] of [
    [1, 200],
    [200, 1],
  ] as const) {
    const other = await server.client()
    const client = await server.client()
    client.socket.setNoDelay().pause()
    for (const _ of numbers(times)) {
      client.socket.write(get('page').repeat(pages))
      await nextTurn()
    }
    for (const turn of numbers(20)) {
      other.socket.write(get(turn))
      await other.times(turn + 1)
    }
    client.socket.resume()
    await client.times(200)
  }
})

test('wherever reads are split, bodies and answers of a pipeline stay separate', async () => {
  await using server = await serve(async (request) => {
    const { length } = await request.text()
    return new Response(`<${pathOf(request.url)} ${length}>`)
  })
  const body = fc.oneof(
    fc.constant(''),
    fc.string({ maxLength: 40 }),
    fc.constantFrom('\r\n\r\n', 'a\r\n\r\nGET / HTTP/1.1\r\n\r\n', '\r\n', 'x'.repeat(40_000)),
  )
  const message = fc.record({ body, kind: fc.constantFrom('get', 'length', 'chunked') })
  const cuts = fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 30 })
  await fc.assert(
    fc.asyncProperty(fc.array(message, { minLength: 2, maxLength: 30 }), cuts, async (messages, lengths) => {
      const client = await server.client()
      client.socket.write(get('first').repeat(3)) // from here on the connection is read in pieces
      await client.times(3)
      const bytes = Buffer.from(messages.map((each, index) => toWire(each.kind, index, each.body)).join(''))
      for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
        const next = turn < 60 ? at + (lengths[turn % lengths.length] ?? 1) : bytes.length
        client.socket.write(bytes.subarray(at, next))
        at = next
        await nextTurn()
      }
      await client.times(3 + messages.length)
      const expected = messages.map(
        (each, index) => `${index} ${each.kind === 'get' ? 0 : Buffer.from(each.body).toString().length}`,
      )
      assert.deepEqual(client.bodies().slice(3), expected)
      client.socket.destroy()
    }),
    { numRuns: 60 },
  )
})

test('a client that ends its half behind a pipeline gets all its answers', async () => {
  await using server = await serve(({ url }) => new Response(`<${pathOf(url)}>`))
  const client = await server.client()
  client.socket.end(numbers(200).map(get).join(''))
  await once(client.socket, 'close')
  assert.deepEqual(client.bodies(), numbers(200).map(String))
})

test('requests that Node.js would reject by itself are rejected in their turn', async () => {
  await using server = await serve(async ({ url }) => {
    await nextTurn()
    return new Response(`<${pathOf(url)}>`)
  })
  const client = await server.client()
  client.socket.write(
    `${get(1)}GET / HTTP/1.1\r\nHost: a\r\nExpect: cake\r\n\r\n${get(2)}GET / HTTP/1.1\r\n\r\n${get(3)}`,
  )
  await once(client.socket, 'close')
  assert.deepEqual(client.statuses(), [200, 417, 200, 400])
})

test('100 Continue is said when the request has its turn', async () => {
  await using server = await serve(async (request) => new Response(`<${await request.text()}>`))
  const client = await server.client()
  client.socket.write(`${get(1)}POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n`)
  await client.until('100 Continue')
  assert.deepEqual(client.statuses(), [200, 100])
  client.socket.write(`body${get(2)}`)
  await client.times(3)
  assert.deepEqual(client.statuses(), [200, 100, 200, 200])
})

test('a request that waits for its body delays no other client, not even one that pipelines many requests', async () => {
  await using server = await serve(async (request) => new Response(`<${(await request.text()).length}>`))
  const slow = await Promise.all(numbers(30).map(() => server.client()))
  for (const { socket } of slow)
    socket.write(`${get(1).repeat(3)}POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nb`)
  for (const client of slow) await client.times(3)
  const other = await server.client()
  other.socket.write(get(1).repeat(100))
  await other.times(100)
  for (const { socket } of slow) socket.write('ody')
  for (const client of slow) await client.times(4)
})

test('a stop closes what waits behind a request that does not end', async () => {
  await using server = await serve(() => new Promise<never>(() => {}))
  const client = await server.client()
  client.socket.write(get(1).repeat(200))
  await nextTurn()
  await server.stop(20)
})

/** Counts the requests of a flood, and how many of them arrived before the last other request. */
function countFloods(counts: { floods: number; before: number }): Fetch {
  return ({ url }) => {
    if (pathOf(url) === 'flood') counts.floods += 1
    else counts.before = counts.floods
    return new Response('<done>')
  }
}

/** Reports each turn of the event loop. */
function countTurns(onTurn: () => void): { stop(): void } {
  let next = setImmediate(function turn() {
    onTurn()
    next = setImmediate(turn)
  })
  return { stop: () => clearImmediate(next) }
}

/** Returns how many requests are parsed while `work` runs. */
async function parsedWhile(work: () => Promise<void>): Promise<number> {
  let parsed = 0
  const note = () => {
    parsed += 1
  }
  subscribe('http.server.request.start', note)
  try {
    await work()
  } finally {
    unsubscribe('http.server.request.start', note)
  }
  return parsed
}

interface Client {
  readonly socket: Socket
  text(): string
  /** Returns the text between < and > in everything received. */
  bodies(): string[]
  statuses(): number[]
  until(text: string): Promise<void>
  /** Waits for `count` bodies. */
  times(count: number): Promise<void>
  /** Waits for `bytes` bytes. */
  grown(bytes: number): Promise<void>
}

async function serve(fetch: Fetch): Promise<RunningServer & AsyncDisposable & { client(): Promise<Client> }> {
  const server = await startServer(fetch, { host: '127.0.0.1', port: 0 }, { warn() {} })
  return {
    ...server,
    client: () => connected(server.address.port),
    [Symbol.asyncDispose]: () => server.stop(0),
  }
}

async function connected(port: number): Promise<Client> {
  const socket = connect(port, '127.0.0.1')
  const parts: string[] = []
  let bytes = 0
  let bodies = 0
  socket.setEncoding('latin1')
  socket.on('data', (part: string) => {
    parts.push(part)
    bytes += part.length
    bodies += part.split('>').length - 1
  })
  socket.on('error', () => {})
  await once(socket, 'connect')
  const until = async (isDone: () => boolean) => {
    while (!isDone()) await once(socket, 'data', { signal: AbortSignal.timeout(120_000) })
  }
  const text = () => parts.join('')
  return {
    socket,
    text,
    bodies: () => [...text().matchAll(/<([^<>]*)>/g)].map(([, body = '']) => body),
    statuses: () => [...text().matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => Number(status)),
    until: (part) => until(() => text().includes(part)),
    times: (count) => until(() => bodies >= count),
    grown: (length) => until(() => bytes >= length),
  }
}

function post(path: string | number, body: string): string {
  return `POST /${path} HTTP/1.1\r\nHost: a\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
}

function toWire(kind: string, index: string | number, body: string): string {
  if (kind === 'get') return get(index)
  if (kind === 'length') return post(index, body)
  const size = Buffer.byteLength(body)
  const chunk = size === 0 ? '' : `${size.toString(16)}\r\n${body}\r\n`
  const chunks = kind === 'bytes' ? body.replaceAll(/./g, '1\r\n$&\r\n') : chunk
  return `POST /${index} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}0\r\n\r\n`
}

function pathOf(url: string): string {
  return new URL(url).pathname.slice(1)
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
