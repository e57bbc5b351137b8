import type { Socket } from 'node:net'
import { systemMonotonic } from '../kernel/clock.ts'

interface Stand {
  readonly untaken: number
  readonly since: number
}

/**
 * Closes connections whose client takes nothing of its answer for `patience` ms, checking four times in that period. Returns a function that stops the checks.
 */
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

/** Returns how many bytes the operating system has not taken: those buffered in Node.js, and the rest of the chunk being written. */
function untakenBytes(socket: Socket): number {
  if (socket.writableLength === 0) return 0
  // No public API shows progress within one write; without this number a write would have to be taken whole.
  const { _handle: handle } = socket as { readonly _handle?: { readonly writeQueueSize?: number } | null }
  return socket.writableLength + (handle?.writeQueueSize ?? 0)
}
