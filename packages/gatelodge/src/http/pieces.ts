import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Turns } from './turns.ts'

/** A connection whose bytes reach the parser of Node.js at our pace. */
export interface Pieces {
  /** Whether more came before an answer was taken. */
  isGreedy(): boolean
  /** Nothing more is parsed before this was answered, but for its own body when it has its turn. */
  asked(incoming: IncomingMessage, outgoing: ServerResponse): void
}

const endOfHead = '\r\n\r\n'
/** Bytes of one connection in one turn of the event loop: a body may consist of chunks of one byte each. */
const largest = 4 * 1024
/** Pieces of them: a body may consist of ends of heads. */
const most = 32

/**
 * Puts itself between a connection and the parser of Node.js, which listens to `data` and `end`: the same bytes come in pieces that end where a head ends, so
 * that a piece brings one request, or two where a read ended within the end of a head or before the end of a body.
 */
export function readInPieces(socket: Socket, turns: Turns, wasGreedy: boolean): Pieces {
  /** Told so by Node.js: a body is not being read, or an answer not being taken. */
  let isFull = false
  const parse = takeListener(socket, 'data')
  const end = takeListener(socket, 'end')
  let rest: Buffer | null = null
  let last: { readonly incoming: IncomingMessage; readonly outgoing: ServerResponse } | undefined
  /** What Node.js read by itself may have stopped within a head, whose time runs: until one was seen to end, the rest of it does not wait. */
  let isUrgent = true
  let isGreedy = wasGreedy
  let hasEnded = false
  let isDue = false

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

  /** Never at once: Node.js may be in the middle of parsing when it asks for more. */
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

  /** A part of what came, so that the rest of it stands in the way of more. */
  function readPart(): Buffer | null {
    return socket.read(Math.min(socket.readableLength, largest) || undefined)
  }

  /** Whether more came before an answer was taken. */
  function isAhead(): boolean {
    if (last === undefined || isWithinBody()) return false
    return rest !== null || (isAnswering() && socket.readableLength > 0)
  }

  function isAnswering(): boolean {
    return last !== undefined && !last.outgoing.writableFinished && !isWithinBody()
  }

  /** Whether what comes next belongs to the body of a request that has its turn. */
  function isWithinBody(): boolean {
    return last !== undefined && !last.incoming.complete && last.outgoing.socket !== null
  }

  function parsePiece(bytes: Buffer): void {
    const at = bytes.indexOf(endOfHead)
    const length = at < 0 ? bytes.length : at + endOfHead.length
    rest = length < bytes.length ? bytes.subarray(length) : null
    isUrgent &&= at < 0
    parse(bytes.subarray(0, length))
  }

  function finish(): void {
    if (isAnswering()) return
    hasEnded = false
    end()
  }

  return {
    isGreedy: () => isGreedy,

    asked(incoming, outgoing) {
      last = { incoming, outgoing }
      outgoing.once('close', goOn)
    },
  }
}

/** Takes the listener that Node.js put on a connection, which was the last to come. */
function takeListener(socket: Socket, event: 'data' | 'end'): (bytes?: Buffer) => void {
  const listener = socket.listeners(event).at(-1) as (bytes?: Buffer) => void // what listens to these events takes no more
  socket.removeListener(event, listener)
  return listener
}
