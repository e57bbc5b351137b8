import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'

/** A request as a site saw it. */
export interface Seen {
  readonly method: string
  /** The URL as requested. */
  readonly url: string
  /** Every value of a header, by its name in lower case. */
  readonly headers: Readonly<Record<string, readonly string[]>>
  readonly body: Buffer
}

/** A site without a sign-in of its own, which records the requests it gets. */
export interface Site {
  /** Host and port. */
  readonly address: string
  readonly seen: readonly Seen[]
  close(): Promise<void>
}

/** The site's response to everyone who reaches it. */
export const welcome = 'You reached the site.'

/** Starts a site on loopback. */
export async function startSite(): Promise<Site> {
  const seen: Seen[] = []
  const server = createServer({ maxHeaderSize: 131_072 }, async (request, response) => {
    const { method = '', url = '', headersDistinct } = request
    const headers = Object.fromEntries(Object.entries(headersDistinct).map(([name, values = []]) => [name, values]))
    seen.push({ method, url, headers, body: await buffer(request) })
    response.end(welcome)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // it listens on a port
  return {
    address: `127.0.0.1:${port}`,
    seen,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
