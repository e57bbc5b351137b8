import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Turns } from './turns.ts'

/** A connection whose bytes reach the Node.js parser at our pace. */
export interface Pieces {
  /** Returns whether the client has sent more before taking an answer. */
  isGreedy(): boolean
  /** Returns whether a piece is being parsed, rather than the rest of what Node.js read before. */
  isParsing(): boolean
  /** Reports a parsed request. Until it is answered nothing more is parsed, except its own body once it has its turn. */
  asked(incoming: IncomingMessage, outgoing: ServerResponse): void
}

const endOfHead = '\r\n\r\n'
/** Bytes of one connection per turn of the event loop, because a body may consist of one-byte chunks. */
const largest = 4 * 1024
/** Pieces parsed per turn, because a body may consist of many ends of heads. */
const most = 32

/**
 * Takes over a connection's `data` and `end` events from the Node.js parser and passes it the same bytes in pieces that end where a head ends. Each piece then
 * brings one request, or two if a read stopped within the end of a head or before the end of a body.
 */
export function readInPieces(socket: Socket, turns: Turns, wasGreedy: boolean): Pieces {
  /** Set when Node.js pauses the socket: a body is not being read, or an answer is not being taken. */
  let isFull = false
  const parse = takeListener(socket, 'data')
  const end = takeListener(socket, 'end')
  let rest: Buffer | null = null
  let last: { readonly incoming: IncomingMessage; readonly outgoing: ServerResponse } | undefined
  /** Set until the end of a head has been seen. Node.js may have stopped reading within a head, whose timeout runs, so its rest must not wait. */
  let isUrgent = true
  let isGreedy = wasGreedy
  let hasEnded = false
  let isDue = false
  let isParsing = false

  socket.pause = () => {
    isFull = true
    return socket
  }
  socket.resume = () => {
    isFull = false
    goOn()
    return socket
  }
  socket.on('readable', goOn)
  socket.once('end', () => {
    hasEnded = true
    goOn()
  })

  /** Schedules the next run. Never parses immediately: Node.js may be in the middle of parsing when it resumes the socket. */
  function goOn(): void {
    isGreedy ||= isAhead()
    if (isDue) return

    isDue = true
    turns.next(run, isWithinBody() ? 'body' : isGreedy ? 'ahead' : 'modest')
  }

  function run(): void {
    isDue = false
    if (isReady()) rest ??= readPart()
    for (let left = most; rest !== null && isReady(); left -= 1) {
      if (left === 0) break
      parsePiece(rest)
    }
    if (!isReady()) return
    if (rest !== null || socket.readableLength > 0) goOn()
    else if (hasEnded) finish()
  }

  function isReady(): boolean {
    return !socket.destroyed && !isFull && (isUrgent || !isAnswering())
  }

  /** Reads a part of what has arrived. The remainder stays in the socket and holds back further data. */
  function readPart(): Buffer | null {
    return socket.read(Math.min(socket.readableLength, largest) || undefined)
  }

  /** Returns whether more arrived before an answer was taken. */
  function isAhead(): boolean {
    if (last === undefined || isWithinBody()) return false
    return rest !== null || (isAnswering() && socket.readableLength > 0)
  }

  function isAnswering(): boolean {
    return last !== undefined && !last.outgoing.writableFinished && !isWithinBody()
  }

  /** Returns whether the next bytes belong to the body of a request that has its turn. */
  function isWithinBody(): boolean {
    return last !== undefined && !last.incoming.complete && last.outgoing.socket !== null
  }

  function parsePiece(bytes: Buffer): void {
    const at = bytes.indexOf(endOfHead)
    const length = at < 0 ? bytes.length : at + endOfHead.length
    rest = length < bytes.length ? bytes.subarray(length) : null
    isUrgent &&= at < 0
    isParsing = true
    parse(bytes.subarray(0, length))
    isParsing = false
  }

  function finish(): void {
    if (isAnswering()) return
    hasEnded = false
    end()
  }

  return {
    isGreedy: () => isGreedy,
    isParsing: () => isParsing,

    asked(incoming, outgoing) {
      last = { incoming, outgoing }
      outgoing.once('close', goOn)
    },
  }
}

/** Removes and returns the listener that Node.js added to a connection, which is the last one. */
function takeListener(socket: Socket, event: 'data' | 'end'): (bytes?: Buffer) => void {
  const listener = socket.listeners(event).at(-1) as (bytes?: Buffer) => void // listeners of these events take no other arguments
  socket.removeListener(event, listener)
  return listener
}
