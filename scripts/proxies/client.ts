import { once } from 'node:events'
import { Agent, request } from 'node:https'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import { publicHost, type RunningProxy } from './proxy.ts'

/** A request as a browser on `auth.example.com` sends it, unless stated otherwise. */
export interface Ask {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as JSON. */
  readonly json?: unknown
  readonly body?: Uint8Array | AsyncIterable<Uint8Array>
  readonly cookies?: readonly string[]
  /** The client's own address. */
  readonly from?: string
  readonly agent?: Agent
}

export interface Told {
  readonly status: number
  /** Returns every value of a header, by its name in lower case. */
  header(name: string): readonly string[]
  readonly text: string
  // biome-ignore lint/suspicious/noExplicitAny: the checks inspect bodies of every shape
  readonly json: any
}

/** The default source address of requests; neither the proxy nor the server has it. */
export const home = '127.0.0.77'

/** A client on the other side of a proxy. */
export interface Client {
  ask(path: string, ask?: Ask): Promise<Told>
  /** Opens a connection to write to directly. */
  raw(): Promise<TLSSocket>
  /** Sends text on a new connection, piece by piece, and returns everything received until it was closed. */
  send(pieces: Iterable<string> | AsyncIterable<string>): Promise<string>
}

const patience = 30_000

/** Creates a client of one proxy, which trusts its certificate. */
export function createClient(proxy: RunningProxy): Client {
  const way = { host: '127.0.0.1', port: proxy.port, servername: publicHost, ca: proxy.certificate }

  async function ask(path: string, { json, body, cookies = [], from = home, ...rest }: Ask = {}): Promise<Told> {
    const content = json === undefined ? body : Buffer.from(JSON.stringify(json))
    const outgoing = request({
      ...way,
      path,
      localAddress: from,
      method: rest.method ?? (content ? 'POST' : 'GET'),
      agent: rest.agent ?? new Agent({ keepAlive: false }),
      timeout: patience,
      headers: {
        host: publicHost,
        origin: `https://${publicHost}`,
        ...(cookies.length > 0 && { cookie: cookies.join('; ') }),
        ...(json !== undefined && { 'content-type': 'application/json' }),
        ...(content instanceof Uint8Array && { 'content-length': String(content.length) }),
        ...rest.headers,
      },
    })
    outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer within ${patience} ms`)))
    outgoing.on('error', () => {}) // after the answer it does not matter; before, it rejects the wait below
    const answered = once(outgoing, 'response') as Promise<[import('node:http').IncomingMessage]>
    if (content instanceof Uint8Array) outgoing.end(content)
    else if (content) Readable.from(content).pipe(outgoing)
    else outgoing.end()

    const [incoming] = await answered
    const text = (await buffer(incoming)).toString()
    return {
      status: incoming.statusCode ?? 0,
      header: (name) => incoming.headersDistinct[name] ?? [],
      text,
      json: incoming.headers['content-type']?.includes('json') ? JSON.parse(text) : undefined,
    }
  }

  async function raw(): Promise<TLSSocket> {
    const socket = connect({ ...way, localAddress: home } as ConnectionOptions)
    socket.setTimeout(patience, () => socket.destroy())
    await once(socket, 'secureConnect')
    socket.on('error', () => {}) // a disconnect is a valid answer
    return socket
  }

  async function send(pieces: Iterable<string> | AsyncIterable<string>): Promise<string> {
    const socket = await raw()
    const parts: Buffer[] = []
    socket.on('data', (part: Buffer) => parts.push(part))
    const closed = once(socket, 'close')
    for await (const piece of pieces) if (socket.writable) socket.write(piece)
    await closed
    return Buffer.concat(parts).toString('latin1')
  }

  return { ask, raw, send }
}
