import { AsyncResource } from 'node:async_hooks'
import { connect, type NetConnectOpts, type Socket } from 'node:net'
import { Duplex } from 'node:stream'

/** An idle connection to PostgreSQL, and what the server sent when it was opened. */
interface Kept {
  readonly socket: Socket
  readonly greeting: Buffer
}

const kept = new Map<string, Kept[]>()

/**
 * Returns a stream for a `pg` connection. Opening a connection costs the server more than most tests, so one that ended well is kept, reset by `discard all`,
 * and reused by the next that is opened to the same URL.
 */
export function keptConnection(url: string): () => Duplex {
  return () => new LentConnection(url)
}

/** Closes the idle connections to a URL. */
export function endKeptConnections(url: string): void {
  for (const { socket } of kept.get(url) ?? []) socket.destroy()
  kept.delete(url)
}

// https://www.postgresql.org/docs/current/protocol-message-formats.html
const terminate = Buffer.from('X\0\0\0\x04')
const discard = Buffer.from('Q\0\0\0\x10discard all\0')
const readyForQuery = Buffer.from('Z\0\0\0\x05')
const discarded = Buffer.from('C\0\0\0\x10DISCARD ALL\0Z\0\0\0\x05I')

/** A connection as its user sees it. It starts with the startup message and ends with the termination message, neither of which reaches a reused socket. */
class LentConnection extends Duplex {
  readonly #url: string
  readonly #scope = new AsyncResource('LentConnection') // what is read belongs to the test that reads, not to the one that connected
  #socket: Socket | undefined
  #greeting: Buffer = Buffer.alloc(0)
  #state: 'greeting' | 'replaying' | 'open' | 'leaving' = 'greeting'
  #farewell: Buffer = Buffer.alloc(0)

  constructor(url: string) {
    super()
    this.#url = url
  }

  connect(port: number, host: string): void {
    const free = kept.get(this.#url)?.pop()
    const socket = free?.socket ?? connect(placeOf(port, host))
    const inScope = (work: () => void) => this.#scope.runInAsyncScope(work)
    this.#socket = socket
    socket.removeAllListeners('close').removeAllListeners('error')
    socket.on('data', (data: Buffer) => inScope(() => this.#receive(data)))
    socket.on('error', (error) => inScope(() => this.destroy(error)))
    socket.on('close', () => inScope(() => this.destroy()))
    if (!free) return void socket.once('connect', () => inScope(() => this.emit('connect')))

    this.#greeting = free.greeting
    this.#state = 'replaying'
    socket.ref()
    setImmediate(() => this.emit('connect'))
  }

  #receive(data: Buffer): void {
    if (this.#state === 'leaving') {
      this.#farewell = Buffer.concat([this.#farewell, data])
      if (endsReady(data)) this.#leave()
      return
    }
    if (this.#state === 'greeting') {
      this.#greeting = Buffer.concat([this.#greeting, data])
      if (endsReady(data)) this.#state = 'open'
    }
    this.push(data)
  }

  #leave(): void {
    if (this.#farewell.subarray(-discarded.length).equals(discarded)) this.#keep()
    this.destroy()
  }

  #keep(): void {
    const socket = this.#socket
    if (!socket) return

    this.#socket = undefined
    const entry = { socket, greeting: this.#greeting }
    const entries = kept.get(this.#url) ?? []
    kept.set(this.#url, entries)
    entries.push(entry)
    socket.removeAllListeners('data').removeAllListeners('close').removeAllListeners('error').unref()
    socket.on('error', () => {})
    socket.on('close', () => entries.includes(entry) && entries.splice(entries.indexOf(entry), 1))
  }

  override _write(data: Buffer, _: BufferEncoding, done: (error?: Error | null) => void): void {
    if (this.#state === 'replaying') {
      this.#state = 'open'
      this.push(this.#greeting)
      done()
    } else if (this.#state === 'open' && data.equals(terminate)) {
      this.#state = 'leaving'
      this.#socket?.write(discard)
      done()
    } else {
      this.#socket?.write(data, done)
    }
  }

  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this._write(Buffer.concat(chunks.map(({ chunk }) => chunk)), 'binary', done)
  }

  override _read(): void {}

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#socket?.destroy()
    done(error)
  }

  setNoDelay(): this {
    return this
  }

  setKeepAlive(): this {
    return this
  }

  ref(): void {
    this.#socket?.ref()
  }

  unref(): void {
    this.#socket?.unref()
  }
}

/** Returns the Unix socket of the server that `npm test` started, if the address is that server's. */
function placeOf(port: number, host: string): NetConnectOpts {
  const path = process.env.TEST_POSTGRES_SOCKET
  return path?.endsWith(`.${port}`) ? { path } : { port, host, noDelay: true }
}

/** Returns whether the server is ready for the next query. */
function endsReady(data: Buffer): boolean {
  return data.subarray(-6, -1).equals(readyForQuery)
}
