import { Socket } from 'node:net'
import pg from 'pg'
import { type Monotonic, second } from '../kernel/clock.ts'
import type { UserId } from '../kernel/ids.ts'
import type { Log } from '../kernel/log.ts'
import type { Random } from '../kernel/random.ts'
import type { Notice } from './store.ts'

/** Hears what other processes say, and knows whether it would. */
export interface PostgresListener {
  start(log: Log): void
  /** Users of own notices are told too: a commit whose answer was lost is heard of in no other way. */
  onNotice(listener: (notice: Notice) => void): void
  /** Whether a beat that was sent within the last second came back, and with it every notice committed before it. */
  isHearing(): boolean
  /** Stands still while notices are heard without a gap; grows at each look otherwise. */
  version(): number
  /** A notice as the text that `pg_notify` takes. */
  payloadOf(notice: Notice): string
  stop(): void
}

export interface PostgresListenerOptions {
  /** Of the connection that listens. */
  readonly connection: pg.ClientConfig
  /** Notifies by the way that writes take; asks for the text at the last moment before it. */
  readonly notify: (payload: () => string) => Promise<void>
  readonly monotonic: Monotonic
  readonly random: Random
}

/** How long a beat that came back vouches for what is in memory, in ms from its sending. */
const trustWindow = second
const beatInterval = 300
/** After this time without a beat that came back, the connection is made anew. */
const patience = 10 * second
const firstPause = 100
const longestPause = 10 * second
/** PostgreSQL refuses payloads of 8000 bytes or more. */
const longestPayload = 7_999

interface Connection {
  readonly socket: Socket
  /** When it was begun, or last proved to deliver. */
  provedAt: number
  listens: boolean
}

/**
 * One connection that listens, and a beat that goes out by the pool and has to come back by that connection: notices arrive in the order of
 * commits, so a beat that came back proves that every earlier notice did. It finds out poolers that take LISTEN and never deliver, listeners on another
 * database, and connections that died without a word. See decision 14.
 */
export function createPostgresListener(options: PostgresListenerOptions): PostgresListener {
  const { monotonic, random } = options
  const mark = random.bytes(12).toString('base64url')
  const listeners: ((notice: Notice) => void)[] = []
  let log: Log | undefined
  let connection: Connection | undefined
  let beating: NodeJS.Timeout | undefined
  let reconnecting: NodeJS.Timeout | undefined
  let failures = 0
  let state: 'new' | 'hearing' | 'deaf' = 'new'
  let sending = false
  let beat: { readonly number: number; readonly sentAt: number } | undefined
  let beats = 0
  let trustedUntil = Number.NEGATIVE_INFINITY
  let version = 0

  const isHearing = () => monotonic() < trustedUntil

  function start(to: Log): void {
    if (beating) return
    log = to
    beating = setInterval(tick, beatInterval).unref()
    void connect()
  }

  async function connect(): Promise<void> {
    const socket = new Socket().unref()
    const mine: Connection = { socket, provedAt: monotonic(), listens: false }
    connection = mine
    const client = new pg.Client({ ...options.connection, ...connectionOptions, stream: () => socket })
    client.on('error', (error) => lose(mine, error))
    client.on('end', () => lose(mine))
    client.on('notification', ({ payload }) => {
      if (connection === mine) hear(payload ?? '')
    })
    try {
      await client.connect()
      await client.query('listen gatelodge')
      mine.listens = true
      await sendBeat()
    } catch (error) {
      lose(mine, error)
    }
  }

  function tick(): void {
    if (connection && monotonic() - connection.provedAt > patience) lose(connection)
    else void sendBeat()
  }

  /** Never two at once: a database that hangs must not find a heap of beats when it is back. */
  async function sendBeat(): Promise<void> {
    const isUnderWay = beat !== undefined && monotonic() - beat.sentAt < trustWindow
    if (!connection?.listens || sending || isUnderWay) return

    sending = true
    try {
      await options.notify(() => {
        beats += 1
        beat = { number: beats, sentAt: monotonic() }
        return JSON.stringify({ from: mark, beat: beats })
      })
    } catch {
      beat = undefined // whoever asks the database for something tells what is wrong with it
    } finally {
      sending = false
    }
  }

  function hear(payload: string): void {
    const said = parsePayload(payload)
    if (said.beat !== undefined) {
      if (said.from === mark) comeBack(said.beat)
      return
    }
    const { users, mail } = said
    const isOwn = said.from === mark
    const notice: Notice = { ...(users && { users }), ...(mail && !isOwn && { mail }) }
    for (const listener of listeners) listener(notice)
  }

  function comeBack(number: number): void {
    if (!connection || beat?.number !== number) return

    if (!isHearing()) version += 1 // what was read before this moment may have missed a notice
    trustedUntil = beat.sentAt + trustWindow
    beat = undefined
    connection.provedAt = monotonic()
    failures = 0
    if (log && state === 'deaf') log.info({}, 'notices of other processes arrive again: sessions are kept in memory')
    state = 'hearing'
  }

  function lose(which: Connection, err?: unknown): void {
    if (connection !== which) return

    connection = undefined
    beat = undefined
    trustedUntil = Number.NEGATIVE_INFINITY
    which.socket.destroy()
    if (log && state !== 'deaf')
      log.warn({ err }, 'notices of other processes do not arrive: sessions are read from the database each time')
    state = 'deaf'
    reconnecting = setTimeout(() => void connect(), pauseAfter(failures, random)).unref()
    failures += 1
  }

  return {
    start,
    onNotice: (listener) => void listeners.push(listener),
    isHearing,
    version() {
      if (!isHearing()) version += 1
      return version
    },
    payloadOf(notice) {
      const text = JSON.stringify({ from: mark, ...notice })
      return Buffer.byteLength(text) <= longestPayload ? text : JSON.stringify({ from: mark, ...notice, users: 'all' })
    },
    stop() {
      clearInterval(beating)
      clearTimeout(reconnecting)
      trustedUntil = Number.NEGATIVE_INFINITY
      const last = connection
      connection = undefined
      last?.socket.destroy()
    },
  }
}

const connectionOptions = {
  application_name: 'gatelodge-listener',
  query_timeout: 5 * second,
} satisfies pg.ClientConfig

/** 0.1 s, doubling to 10 s, each cut by up to a half, so that processes which lost one database do not come back at once. */
function pauseAfter(failures: number, random: Random): number {
  const pause = Math.min(firstPause * 2 ** Math.min(failures, 30), longestPause)
  return pause * (1 - random.bytes(4).readUInt32BE() / 0xffff_ffff / 2)
}

type Said = Notice & { readonly from?: string; readonly beat?: number }

/** Whoever may connect to the database may notify: what cannot be read may have named anybody. */
function parsePayload(payload: string): Said {
  const said = parseJson(payload)
  if (typeof said !== 'object' || said === null) return { users: 'all' }

  const { from, beat, users, mail } = said as Readonly<Record<string, unknown>> // each is looked at below
  if (typeof from !== 'string') return { users: 'all' }
  if (typeof beat === 'number') return { from, beat }
  if (mail === true && users === undefined) return { from, mail }
  return { from, users: areUsers(users) ? users : 'all', ...(mail === true && { mail }) }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function areUsers(value: unknown): value is readonly UserId[] {
  return Array.isArray(value) && value.every((user) => typeof user === 'string')
}
