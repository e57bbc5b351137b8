import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { minute, systemMonotonic } from '../kernel/clock.ts'
import { type Pieces, readInPieces } from './pieces.ts'
import { createTurns } from './turns.ts'

/**
 * Keeps pipelined requests (RFC 9112, section 9.3.2) of one connection from delaying others or exhausting memory: a connection has one request under way, the
 * next begins when its answer was taken, and whatever follows is not parsed before that.
 */
export interface Pipelines {
  /** All open connections. */
  readonly connections: Iterable<Socket>
  /** Watches a connection from its first byte. */
  watch(socket: Socket): void
  /** Answers a request immediately if it is the first in line on its connection, otherwise when its turn comes. */
  enter(incoming: IncomingMessage, outgoing: ServerResponse, answer: Answer): void
}

/** Resolves when the answer is written, which may be before the client takes it. */
type Answer = (incoming: IncomingMessage, outgoing: ServerResponse) => Promise<void>

/**
 * Bounds the requests that wait behind others, over all connections. Node.js parses everything one read brings, up to 64 KiB, so the connection that exceeds
 * the bound may bring thousands. No other can: from then on all connections are read in pieces.
 */
const mostLoad = 64
/** The weight of a request with a chunked body, because one read may bring ten thousand chunks. */
const weightOfChunks = 4
/** How long after a flood new connections start in pieces too, in ms. */
const wary = minute

/** Creates the state of all connections of one server. */
export function createPipelines(): Pipelines {
  const turns = createTurns()
  const connections = new Set<Socket>()
  /** Connections read in pieces; undefined while Node.js still has them paused. Node.js reads all others faster itself, and parses whatever arrives. */
  const inPieces = new Map<Socket, Pieces | undefined>()
  let load = 0
  let floodedAt = Number.NEGATIVE_INFINITY
  /** The connection that sent the last request, and how much had been read of it. A client that waits for answers never sends two requests in one read. */
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
    // Node.js assigns a response its socket once those before it are done; that may already be the case for requests of the same read.
    if (outgoing.socket === null || (!pieces?.isParsing() && isOfSameRead(socket))) wait(incoming, outgoing, answer)
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
    if (pieces.isGreedy()) queueMicrotask(() => count(incoming, answered)) // once the part of its body that was read has been passed on
  }

  function wait(incoming: IncomingMessage, outgoing: ServerResponse, answer: Answer): void {
    const begin = () => count(incoming, answer(incoming, outgoing))
    if (outgoing.socket === null) outgoing.once('socket', () => turns.next(begin, 'ahead'))
    else turns.next(begin, 'ahead')
    takeOver(incoming.socket, true)
    inPieces.get(incoming.socket)?.asked(incoming, outgoing)
    weigh(outgoing, 1)
  }

  /** A request weighs until its turn of the event loop ends, even if it is answered sooner: one turn may read from every connection. */
  function weigh(outgoing: ServerResponse, weight: number): void {
    load += weight
    outgoing.once('close', () =>
      setImmediate(() => {
        load -= weight
      }),
    )
    if (load <= mostLoad || load - weight > mostLoad) return

    floodedAt = systemMonotonic()
    for (const other of connections) takeOver(other, false)
  }

  /** Counts a request as under way once its body has arrived, so that a slow sender does not hold up others. */
  function count(incoming: IncomingMessage, answered: Promise<void>): void {
    if (incoming.complete) turns.during(answered)
    else incoming.once('end', () => turns.during(answered))
  }

  function takeOver(socket: Socket, isGreedy: boolean): void {
    if (inPieces.has(socket)) return

    inPieces.set(socket, undefined)
    start(socket, isGreedy)
  }

  /** Starts reading in pieces. If Node.js has paused the connection, waits until it resumes; otherwise nothing would be read again. */
  function start(socket: Socket, isGreedy: boolean): void {
    if (socket.destroyed) return
    if (socket.isPaused()) socket.once('resume', () => start(socket, isGreedy))
    else inPieces.set(socket, readInPieces(socket, turns, isGreedy))
  }

  return { connections, watch, enter }
}
