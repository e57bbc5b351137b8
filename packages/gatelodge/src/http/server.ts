import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import type { Listen } from '../config.ts'
import type { Fetch } from './app.ts'

export interface RunningServer {
  /** Where it listens, with the port that was really taken. */
  readonly address: Listen
  /** Stops taking connections, lets requests in flight finish, then closes the rest after `patience` ms. */
  stop(patience: number): Promise<void>
}

/** Serves `fetch` over HTTP/1.1. Rejects when the address is taken. */
export async function startServer(fetch: Fetch, listen: Listen): Promise<RunningServer> {
  const answer = getRequestListener((request, env) => fetch(request, env as Parameters<Fetch>[1]))
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
