import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** A proxy in front of PostgreSQL that can withhold what the server sends. */
export interface TcpProxy {
  /** Returns `url` routed through the proxy. */
  via(url: string): string
  /** The number of connections so far. */
  readonly connections: number
  /** What the proxy passes on from the server. `until-listening` passes on the answer to LISTEN and nothing after it, as poolers do. */
  delivers: 'all' | 'until-listening' | 'nothing'
  close(): Promise<void>
}

/** Starts a proxy to the server that `url` names. */
export async function tcpProxy(url: string): Promise<TcpProxy> {
  const target = new URL(url)
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    proxy.connections += 1
    const upstream = connect(Number(target.port), target.hostname)
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => other.destroy())
    }
    let isListening = false
    client.pipe(upstream)
    upstream.on('data', (chunk) => {
      if (proxy.delivers === 'nothing' || (proxy.delivers === 'until-listening' && isListening)) return
      isListening ||= chunk.includes('LISTEN\0')
      client.write(chunk)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // a listening TCP server has one

  const proxy = {
    connections: 0,
    delivers: 'all' as TcpProxy['delivers'],
    via(original: string) {
      const through = new URL(original)
      through.host = `127.0.0.1:${port}`
      return through.href
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
  return proxy
}
