import type { Socket } from 'node:net'
import { systemMonotonic } from '../kernel/clock.ts'

interface Stand {
  readonly untaken: number
  readonly since: number
}

/** Ends connections that take nothing of their answer for `patience` ms, looked at four times in that time. Answers how to stop looking. */
export function endStalled(connections: Iterable<Socket>, patience: number): () => void {
  const stands = new WeakMap<Socket, Stand>()
  const timer = setInterval(() => {
    const now = systemMonotonic()
    for (const socket of connections) {
      const untaken = untakenBytes(socket)
      const stand = stands.get(socket)
      if (untaken === 0) stands.delete(socket)
      else if (stand?.untaken !== untaken) stands.set(socket, { untaken, since: now })
      else if (now - stand.since >= patience) socket.destroy()
    }
  }, patience / 4)
  timer.unref()
  return () => clearInterval(timer)
}

/** What the system has not taken: what Node.js keeps, and what is left of the piece that the system has in hand. */
function untakenBytes(socket: Socket): number {
  if (socket.writableLength === 0) return 0
  // Nothing public tells of progress within one write; without this number a write has to be taken whole.
  const { _handle: handle } = socket as { readonly _handle?: { readonly writeQueueSize?: number } | null }
  return socket.writableLength + (handle?.writeQueueSize ?? 0)
}
