import {
  createServer,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type Server,
  type ServerResponse,
} from 'node:http'
import { type AddressInfo, Socket } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import type { Listen } from '../config.ts'
import { second, systemMonotonic } from '../kernel/clock.ts'
import type { Log } from '../kernel/log.ts'
import type { Fetch } from './app.ts'
import { createPipelines } from './pipelines.ts'
import { endStalled } from './stalled.ts'

export interface RunningServer {
  /** The address the server listens on, with the actual port. */
  readonly address: Listen
  /** Stops accepting connections, waits up to `patience` ms for requests in flight, then closes the rest. */
  stop(patience: number): Promise<void>
}

/** The limits of a server; times in ms. */
export interface Bounds {
  /** From the first byte of a request, or the opening of its connection, to the end of its head. */
  readonly head: number
  /** From the first byte of a request to its last. */
  readonly request: number
  /** How long the client may take nothing of an answer. */
  readonly write: number
  /** Between two requests. A proxy must close an unused connection sooner, or it may send a request into a connection that is closing. */
  readonly idle: number
  /** How often `head` and `request` are checked. */
  readonly look: number
  /** Open connections. */
  readonly connections: number
}

const defaults: Bounds = {
  head: 10 * second,
  request: 30 * second,
  write: 20 * second,
  idle: 65 * second,
  look: second / 2,
  connections: 2_000,
}

/** How long to discard what a client still sends after an early answer, in ms. */
const lingering = 500
/** The minimum time between two log lines about dropped connections, in ms. */
const quiet = 10 * second

/** Serves `fetch` over HTTP/1.1. Rejects if the address is in use. */
export async function startServer(
  fetch: Fetch,
  listen: Listen,
  log: Pick<Log, 'warn'>,
  bounds: Bounds = defaults,
): Promise<RunningServer> {
  const answer = getRequestListener((request, env) => {
    const bindings = env as { incoming: IncomingMessage }
    const answered = fetch(request, bindings)
    return bringsBody(bindings.incoming) ? lingerWhenEarly(answered, bindings.incoming) : answered
  })
  const pipelines = createPipelines()
  const server = createServer({
    headersTimeout: bounds.head,
    requestTimeout: bounds.request,
    connectionsCheckingInterval: bounds.look,
    keepAliveTimeout: bounds.idle,
    maxHeaderSize: 16_384,
    highWaterMark: 16_384,
    requireHostHeader: false, // Node.js would reject such requests out of turn, all that it has parsed: see `begin`
  })
  server.maxConnections = bounds.connections
  server.on('connection', pipelines.watch)
  server.on('drop', createDropLog(log, bounds.connections))
  server.on('request', (incoming, outgoing) => pipelines.enter(incoming, outgoing, begin))
  server.on('checkContinue', (incoming, outgoing) =>
    pipelines.enter(incoming, outgoing, () => {
      outgoing.writeContinue()
      return begin(incoming, outgoing)
    }),
  )
  server.on('checkExpectation', (incoming, outgoing) =>
    pipelines.enter(incoming, outgoing, () => {
      if (!bringsBody(incoming)) return refuse(outgoing, 417, {})
      lingerBehind(incoming)
      return refuse(outgoing, 417, { connection: 'close' })
    }),
  )

  function begin(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const { headers } = incoming
    if (headers.host === undefined && incoming.httpVersion === '1.1')
      return refuse(outgoing, 400, { connection: 'close' }) // RFC 9112, section 3.2

    // The Host header is used for nothing and rejects nothing: whatever it says, the request's URL gets a host that parses.
    headers.host = 'gatelodge.invalid'
    incoming.url = originForm(incoming.url ?? '/')
    return answer(incoming, outgoing)
  }

  await listening(server, listen)
  server.once('close', endStalled(pipelines.connections, bounds.write))
  const { address, port } = server.address() as AddressInfo

  return {
    address: { host: address, port },
    stop: (patience) => stop(server, patience),
  }
}

async function refuse(outgoing: ServerResponse, status: number, headers: OutgoingHttpHeaders): Promise<void> {
  outgoing.writeHead(status, headers).end()
}

/** Returns a function that logs dropped connections, with at most one line per `quiet` ms. */
function createDropLog(log: Pick<Log, 'warn'>, most: number): () => void {
  let dropped = 0
  let toldAt = Number.NEGATIVE_INFINITY
  return () => {
    dropped += 1
    if (systemMonotonic() - toldAt < quiet) return
    log.warn({ connections: most, dropped }, 'too many connections: new ones are closed immediately')
    dropped = 0
    toldAt = systemMonotonic()
  }
}

function bringsBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}

async function lingerWhenEarly(answered: ReturnType<Fetch>, incoming: IncomingMessage): Promise<Response> {
  const response = await answered
  if (!incoming.complete) lingerBehind(incoming)
  return response
}

/**
 * Keeps an early answer from being lost. If a connection closes after an answer sent in the middle of a body, it is reset, and the reset can destroy the answer
 * while the sender is still writing (RFC 9112, section 9.6). So only our half is closed immediately; further data is discarded until the sender closes or
 * `lingering` has passed.
 */
function lingerBehind(incoming: IncomingMessage): void {
  const { socket } = incoming
  socket.destroySoon = () => {
    if (incoming.complete) return Socket.prototype.destroySoon.call(socket)

    socket.end()
    incoming.resume()
    const giveUp = setTimeout(() => socket.destroy(), lingering)
    socket.once('close', () => clearTimeout(giveUp))
  }
}

/**
 * Returns the path and query of a request target. The authority of the absolute form (RFC 9112, section 3.2.2) is dropped; it may contain what no URL allows.
 */
function originForm(target: string): string {
  const path = target.replace(/^[a-z][a-z\d+.-]*:\/\/[^/?#]*/i, '')
  return path.startsWith('/') ? path : `/${path}`
}

function listening(server: Server, { host, port }: Listen): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

function stop(server: Server, patience: number): Promise<void> {
  return new Promise((resolve) => {
    const giveUp = setTimeout(() => server.closeAllConnections(), patience)
    // A connection whose last request was answered would be kept alive for another one.
    const sweep = setInterval(() => server.closeIdleConnections(), 50)
    server.close(() => {
      clearTimeout(giveUp)
      clearInterval(sweep)
      resolve()
    })
    server.closeIdleConnections()
  })
}
