import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { minute, systemMonotonic } from '../kernel/clock.ts'
import { type Pieces, readInPieces } from './pieces.ts'
import { createTurns } from './turns.ts'

/**
 * Keeps what one connection asks for at once (RFC 9112, section 9.3.2) from costing the others their turn or the process its memory: one request of a
 * connection is under way, the next begins when its answer was taken, and what lies behind is not parsed before.
 */
export interface Pipelines {
  /** All that are open. */
  readonly connections: Iterable<Socket>
  /** Watches a connection from its first byte on. */
  watch(socket: Socket): void
  /** Answers a request at once when nothing lies before it on its connection, else when its turn comes. */
  enter(incoming: IncomingMessage, outgoing: ServerResponse, answer: Answer): void
}

/** Resolves when the answer is written, not when it is taken. */
type Answer = (incoming: IncomingMessage, outgoing: ServerResponse) => Promise<void>

/**
 * Requests that wait behind others, of all connections. Node.js parses all that one read brought, up to 64 KiB, so the connection that goes past this may bring
 * thousands. No other will: from then on all are read in pieces.
 */
const mostLoad = 64
/** A request whose body comes in chunks counts as so many: one read may bring ten thousand of them. */
const weightOfChunks = 4
/** For so long after that, new connections begin like that too, in ms. */
const wary = minute

/** The state of all connections of one server. */
export function createPipelines(): Pipelines {
  const turns = createTurns()
  const connections = new Set<Socket>()
  /** Those that are read in pieces, or will be once they are not paused. Node.js reads the others in a faster way, and parses whatever comes. */
  const inPieces = new Map<Socket, Pieces | undefined>()
  let load = 0
  let floodedAt = Number.NEGATIVE_INFINITY
  /** Who asked last, and what was read of it by then: nobody who waits for an answer asks twice in one read. */
  let asker: Socket | undefined
  let readOfAsker = 0

  function watch(socket: Socket): void {
    connections.add(socket)
    socket.once('close', () => {
      connections.delete(socket)
      inPieces.delete(socket)
    })
    if (load > mostLoad || systemMonotonic() - floodedAt < wary) takeOver(socket, false)
  }

  function enter(incoming: IncomingMessage, outgoing: ServerResponse, answer: Answer): void {
    const { socket, headers } = incoming
    if (headers['transfer-encoding'] !== undefined) {
      takeOver(socket, false)
      weigh(outgoing, weightOfChunks)
    }
    const pieces = inPieces.size > 0 ? inPieces.get(socket) : undefined
    // Node.js gives a response its socket when those before it are done; what came in the same read may be done by now.
    if (outgoing.socket === null || (!pieces && isOfSameRead(socket))) wait(incoming, outgoing, answer)
    else if (pieces) enterInPieces(pieces, incoming, outgoing, answer)
    else void answer(incoming, outgoing)
  }

  function isOfSameRead(socket: Socket): boolean {
    const { bytesRead } = socket
    if (socket === asker && bytesRead === readOfAsker) return true

    asker = socket
    readOfAsker = bytesRead
    return false
  }

  function enterInPieces(pieces: Pieces, incoming: IncomingMessage, outgoing: ServerResponse, answer: Answer): void {
    pieces.asked(incoming, outgoing)
    const answered = answer(incoming, outgoing)
    if (pieces.isGreedy()) queueMicrotask(() => count(incoming, answered)) // when what was read of its body is there
  }

  function wait(incoming: IncomingMessage, outgoing: ServerResponse, answer: Answer): void {
    const begin = () => count(incoming, answer(incoming, outgoing))
    if (outgoing.socket === null) outgoing.once('socket', () => turns.next(begin, 'ahead'))
    else turns.next(begin, 'ahead')
    takeOver(incoming.socket, true)
    inPieces.get(incoming.socket)?.asked(incoming, outgoing)
    weigh(outgoing, 1)
  }

  function weigh(outgoing: ServerResponse, weight: number): void {
    load += weight
    outgoing.once('close', () => {
      load -= weight
    })
    if (load <= mostLoad || load - weight > mostLoad) return

    floodedAt = systemMonotonic()
    for (const other of connections) takeOver(other, false)
  }

  /** A request is under way when its body is there: nobody who is slow to send one keeps the others waiting. */
  function count(incoming: IncomingMessage, answered: Promise<void>): void {
    if (incoming.complete) turns.during(answered)
    else incoming.once('end', () => turns.during(answered))
  }

  function takeOver(socket: Socket, isGreedy: boolean): void {
    if (inPieces.has(socket)) return

    inPieces.set(socket, undefined)
    start(socket, isGreedy)
  }

  /** What Node.js paused would not be read again under us: nothing is, until it goes on. */
  function start(socket: Socket, isGreedy: boolean): void {
    if (socket.destroyed) return
    if (socket.isPaused()) socket.once('resume', () => start(socket, isGreedy))
    else inPieces.set(socket, readInPieces(socket, turns, isGreedy))
  }

  return { connections, watch, enter }
}
