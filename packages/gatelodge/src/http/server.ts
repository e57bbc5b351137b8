import { createServer, type IncomingMessage, type Server } from 'node:http'
import { type AddressInfo, Socket } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import type { Listen } from '../config.ts'
import type { Fetch } from './app.ts'

export interface RunningServer {
  /** Where it listens, with the port that was really taken. */
  readonly address: Listen
  /** Stops taking connections, lets requests in flight finish, then closes the rest after `patience` ms. */
  stop(patience: number): Promise<void>
}

/** ms */
const lingering = 500

/** Serves `fetch` over HTTP/1.1. Rejects when the address is taken. */
export async function startServer(fetch: Fetch, listen: Listen): Promise<RunningServer> {
  const answer = getRequestListener((request, env) => {
    const bindings = env as { incoming: IncomingMessage }
    const answered = fetch(request, bindings)
    return bringsBody(bindings.incoming) ? lingerWhenEarly(answered, bindings.incoming) : answered
  })
  const server = createServer(
    { headersTimeout: 10_000, requestTimeout: 30_000, keepAliveTimeout: 65_000, maxHeaderSize: 16_384 },
    (incoming, outgoing) => {
      // The Host header builds nothing and refuses nothing: whatever it says, the request's URL gets a host that parses.
      incoming.headers.host = 'gatelodge.invalid'
      incoming.url = originForm(incoming.url ?? '/')
      void answer(incoming, outgoing)
    },
  )
  await listening(server, listen)
  const { address, port } = server.address() as AddressInfo

  return {
    address: { host: address, port },
    stop: (patience) => stop(server, patience),
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
 * A connection that closes behind an answer given in the middle of a body would be reset, and a reset can take the answer from a sender who is still writing
 * (RFC 9112, section 9.6). So only our half ends at once; what still comes is dropped, and the rest goes by its sender or after `lingering`.
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

/** The path and query of a request target: of the absolute form (RFC 9112, section 3.2.2) the authority goes, which may hold what no URL allows. */
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
    // A connection whose last request was answered would be kept alive for a next one.
    const sweep = setInterval(() => server.closeIdleConnections(), 50)
    server.close(() => {
      clearTimeout(giveUp)
      clearInterval(sweep)
      resolve()
    })
    server.closeIdleConnections()
  })
}
