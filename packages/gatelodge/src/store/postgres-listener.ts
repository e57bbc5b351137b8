import { Socket } from 'node:net'
import pg from 'pg'
import { type Monotonic, second } from '../kernel/clock.ts'
import type { UserId } from '../kernel/ids.ts'
import type { Log } from '../kernel/log.ts'
import type { Random } from '../kernel/random.ts'
import type { Notice } from './store.ts'

/** Receives the notices of other processes and knows whether it would have missed any. */
export interface PostgresListener {
  start(log: Log): void
  /**
   * Calls `listener` for each notice. Notices of this process arrive too, with their users: that is the only way to learn of a commit whose response was
   * lost.
   */
  onNotice(listener: (notice: Notice) => void): void
  /** Returns whether a heartbeat sent within the last second has returned, and with it every notice committed before it. */
  isHearing(): boolean
  /** Returns a number that stays the same while no notice can have been missed, and otherwise grows with each call. */
  version(): number
  /** Returns the payload for `pg_notify`. */
  payloadOf(notice: Notice): string
  stop(): void
}

export interface PostgresListenerOptions {
  /** Settings of the connection that listens. */
  readonly connection: pg.ClientConfig
  /** Sends a notice over the pool. Calls `payload` immediately before the statement is sent. */
  readonly notify: (payload: () => string) => Promise<void>
  readonly monotonic: Monotonic
  readonly random: Random
}

/** How long a returned heartbeat proves that cached rows are current, in ms from its sending. */
const trustWindow = second
const heartbeatInterval = 300
/** Reconnects after this time without a returned heartbeat, in ms. */
const reconnectAfter = 10 * second
const firstPause = 100
const longestPause = 10 * second
/** Bytes. PostgreSQL rejects payloads of 8000 bytes or more. */
const longestPayload = 7_999

interface Connection {
  readonly socket: Socket
  /** When the connection was started or last delivered a heartbeat. */
  provedAt: number
  listens: boolean
}

/**
 * Creates a listener with one connection for notices. A heartbeat is sent over the pool and has to return on that connection: notices arrive in commit order,
 * so a returned heartbeat proves that every earlier notice has arrived. This detects poolers that accept LISTEN but deliver nothing, listeners on another
 * database, and connections that died silently. See decision 14.
 */
export function createPostgresListener(options: PostgresListenerOptions): PostgresListener {
  const { monotonic, random } = options
  const mark = random.bytes(12).toString('base64url')
  const listeners: ((notice: Notice) => void)[] = []
  let log: Log | undefined
  let connection: Connection | undefined
  let ticker: NodeJS.Timeout | undefined
  let reconnecting: NodeJS.Timeout | undefined
  let failures = 0
  let state: 'new' | 'connected' | 'disconnected' = 'new'
  let sending = false
  let heartbeat: { readonly number: number; readonly sentAt: number } | undefined
  let heartbeats = 0
  let trustedUntil = Number.NEGATIVE_INFINITY
  let version = 0

  const isHearing = () => monotonic() < trustedUntil

  function start(to: Log): void {
    if (ticker) return
    log = to
    ticker = setInterval(tick, heartbeatInterval).unref()
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
      await sendHeartbeat()
    } catch (error) {
      lose(mine, error)
    }
  }

  function tick(): void {
    if (connection && monotonic() - connection.provedAt > reconnectAfter) lose(connection)
    else void sendHeartbeat()
  }

  /** Only one heartbeat is in flight, so that a database that hung does not find a backlog of them when it recovers. */
  async function sendHeartbeat(): Promise<void> {
    const isUnderWay = heartbeat !== undefined && monotonic() - heartbeat.sentAt < trustWindow
    if (!connection?.listens || sending || isUnderWay) return

    sending = true
    try {
      await options.notify(() => {
        heartbeats += 1
        heartbeat = { number: heartbeats, sentAt: monotonic() }
        return JSON.stringify({ from: mark, beat: heartbeats })
      })
    } catch {
      heartbeat = undefined // the next query reports what is wrong with the database
    } finally {
      sending = false
    }
  }

  function hear(payload: string): void {
    const said = parsePayload(payload)
    if (said.beat !== undefined) {
      if (said.from === mark) confirmHeartbeat(said.beat)
      return
    }
    const { users, mail } = said
    const isOwn = said.from === mark
    const notice: Notice = { ...(users && { users }), ...(mail && !isOwn && { mail }) }
    for (const listener of listeners) listener(notice)
  }

  function confirmHeartbeat(number: number): void {
    if (!connection || heartbeat?.number !== number) return

    if (!isHearing()) version += 1 // rows read before this moment may have missed a notice
    trustedUntil = heartbeat.sentAt + trustWindow
    heartbeat = undefined
    connection.provedAt = monotonic()
    failures = 0
    if (log && state === 'disconnected')
      log.info({}, 'notifications from other processes arrive again: sessions are cached in memory')
    state = 'connected'
  }

  function lose(which: Connection, err?: unknown): void {
    if (connection !== which) return

    connection = undefined
    heartbeat = undefined
    trustedUntil = Number.NEGATIVE_INFINITY
    which.socket.destroy()
    if (log && state !== 'disconnected')
      log.warn({ err }, 'notifications from other processes do not arrive: every session check reads the database')
    state = 'disconnected'
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
      clearInterval(ticker)
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

/**
 * Returns the pause before the next attempt in ms: 100, doubling up to 10 s, each shortened at random by up to half, so that processes that lost the same
 * database do not reconnect simultaneously.
 */
function pauseAfter(failures: number, random: Random): number {
  const pause = Math.min(firstPause * 2 ** Math.min(failures, 30), longestPause)
  return pause * (1 - random.bytes(4).readUInt32BE() / 0xffff_ffff / 2)
}

/** The payload of a notice or a heartbeat. The member stays `beat`, which servers of other versions on the same database know. */
type Said = Notice & { readonly from?: string; readonly beat?: number }

/** Any role that can connect to the database can send notices. One that cannot be parsed may concern any user. */
function parsePayload(payload: string): Said {
  const said = parseJson(payload)
  if (typeof said !== 'object' || said === null) return { users: 'all' }

  const { from, beat, users, mail } = said as Readonly<Record<string, unknown>> // each field is checked below
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
