import { connect } from 'node:net'
import type { Composition } from '../../src/compose.ts'
import { startServer } from '../../src/http/server.ts'

/** A response as it appeared on the wire. */
export interface WireAnswer {
  readonly status: number
  /** Names are in lower case; a repeated header keeps every value. */
  readonly headers: ReadonlyMap<string, readonly string[]>
  readonly body: string
}

export interface Wire {
  readonly port: number
  /** Sends bytes on a new connection and returns everything received until the server, or `patience` (ms), closed it. */
  send(bytes: string | Uint8Array | AsyncIterable<string | Uint8Array>, patience?: number): Promise<WireAnswer[]>
  [Symbol.asyncDispose](): Promise<void>
}

/** Starts the whole program behind a real socket on loopback. */
export async function listen(app: { readonly composition: Pick<Composition, 'fetch'> }): Promise<Wire> {
  const server = await startServer(app.composition.fetch, { host: '127.0.0.1', port: 0 }, { warn() {} })
  const { port } = server.address
  return {
    port,
    send: (bytes, patience) => send(port, bytes, patience),
    [Symbol.asyncDispose]: () => server.stop(1_000),
  }
}

/** Builds a request as text. The connection closes after the response unless `keep`. */
export function request(
  line: string,
  headers: Readonly<Record<string, string>> = {},
  body = '',
  { keep = false }: { keep?: boolean } = {},
): string {
  const all: Record<string, string> = { host: 'localhost', connection: keep ? 'keep-alive' : 'close' }
  if (body !== '')
    Object.assign(all, { 'content-type': 'application/json', 'content-length': `${Buffer.byteLength(body)}` })
  const lines = Object.entries({ ...all, ...headers }).map(([name, value]) => `${name}: ${value}`)
  return `${line} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${body}`
}

function send(
  port: number,
  bytes: string | Uint8Array | AsyncIterable<string | Uint8Array>,
  patience = 5_000,
): Promise<WireAnswer[]> {
  const parts: Uint8Array[] = []
  const socket = connect(port, '127.0.0.1')
  const { promise, resolve } = Promise.withResolvers<WireAnswer[]>()
  const giveUp = setTimeout(() => socket.destroy(), patience)
  socket.on('data', (part) => parts.push(Buffer.from(part)))
  socket.on('error', () => {}) // a server that disconnects an attacker is a valid answer
  socket.on('close', () => {
    clearTimeout(giveUp)
    resolve(parseAnswers(Buffer.concat(parts).toString('latin1')))
  })
  void write(socket, bytes)
  return promise
}

async function write(
  socket: ReturnType<typeof connect>,
  bytes: string | Uint8Array | AsyncIterable<string | Uint8Array>,
): Promise<void> {
  if (typeof bytes === 'string' || bytes instanceof Uint8Array) {
    socket.write(bytes)
    return
  }
  for await (const part of bytes) {
    if (socket.destroyed || !socket.writable) return
    if (!socket.write(part)) await drained(socket)
  }
}

function drained(socket: ReturnType<typeof connect>): Promise<void> {
  return new Promise((resolve) => {
    const go = () => {
      socket.off('drain', go).off('close', go)
      resolve()
    }
    socket.on('drain', go).on('close', go)
  })
}

function parseAnswers(text: string): WireAnswer[] {
  const answers: WireAnswer[] = []
  for (let rest = text; rest !== ''; ) {
    const end = rest.indexOf('\r\n\r\n')
    if (end < 0) break
    const [first = '', ...lines] = rest.slice(0, end).split('\r\n')
    const headers = new Map<string, string[]>()
    for (const line of lines) {
      const [, name = '', value = ''] = /^([^:]+): ?(.*)$/.exec(line) ?? []
      headers.set(name.toLowerCase(), [...(headers.get(name.toLowerCase()) ?? []), value])
    }
    const { body, length } = readBody(rest.slice(end + 4), headers)
    answers.push({ status: Number(first.split(' ')[1]), headers, body: Buffer.from(body, 'latin1').toString('utf8') })
    rest = rest.slice(end + 4 + length)
  }
  return answers
}

function readBody(text: string, headers: ReadonlyMap<string, readonly string[]>): { body: string; length: number } {
  if (headers.get('transfer-encoding')?.[0] !== 'chunked') {
    const length = Number(headers.get('content-length')?.[0] ?? 0)
    return { body: text.slice(0, length), length }
  }
  let body = ''
  let at = 0
  for (;;) {
    const lineEnd = text.indexOf('\r\n', at)
    const size = Number.parseInt(text.slice(at, lineEnd), 16)
    at = lineEnd + 2 + size + 2
    if (!(size > 0)) return { body, length: at }
    body += text.slice(lineEnd + 2, lineEnd + 2 + size)
  }
}
