import type { Socket } from 'node:net'

interface Stand {
  readonly untaken: number
  /** How many checks in a row have found the same. */
  readonly checks: number
}

/** Checks in the time that a client has. They are counted rather than timed, so that a pause of this process is not taken for one of the client. */
const checksOfPatience = 4

/** Closes connections whose client takes nothing of its answer for `patience` ms. Returns a function that stops the checks. */
export function endStalled(connections: Iterable<Socket>, patience: number): () => void {
  const stands = new WeakMap<Socket, Stand>()
  const timer = setInterval(() => {
    for (const socket of connections) {
      const untaken = untakenBytes(socket)
      const stand = stands.get(socket)
      if (untaken === 0) stands.delete(socket)
      else if (stand?.untaken !== untaken) stands.set(socket, { untaken, checks: 0 })
      else if (stand.checks + 1 < checksOfPatience) stands.set(socket, { untaken, checks: stand.checks + 1 })
      else socket.destroy()
    }
  }, patience / checksOfPatience)
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
