import type { Clock } from '../clock.ts'
import type { EventName } from '../events.ts'
import type { UserId } from '../ids.ts'
import { createBucket } from './bucket.ts'
import { createEventCounts, type EventCounts } from './event-counts.ts'
import { createFairBucket } from './fair-bucket.ts'
import { blockOf } from './networks.ts'
import { createRecentCounters, createSharedCounters, type SpareCounters } from './spare-counters.ts'

/** What requests of strangers may add to the database, per process: a burst and a rate per second. See docs/decisions/0009-limits.md for the arithmetic. */
export const ceiling = {
  /** Rows of the audit log, per event name. */
  events: { most: 300, perSecond: 1 },
  /** Rows of rate limit counters. */
  counters: { most: 2_000, perSecond: 5 },
  /** kB of requests that add a mail: password resets, sign-ups, links sent again. */
  asks: { most: 2_500, perSecond: 8 },
  /** The same for browsers that signed in here before, in addition. */
  deviceAsks: { most: 300, perSecond: 1 },
} as const

/** Address counts and name cells held in memory. */
const recentAddresses = 20_000
const sharedCells = 2 ** 19
/** The last rows are reserved for names that failed before. */
const keptForRepeated = ceiling.counters.most / 4

/** What was not stored or was rejected since the start. */
export interface StrangersTally {
  readonly events: ReadonlyMap<EventName, number>
  readonly counters: number
  readonly asks: number
}

/** Limits what requests without a known user add to the database, using a fixed amount of memory. */
export interface Strangers {
  readonly events: EventCounts
  /** Counts of client addresses and of requested names that got no row. */
  readonly addresses: SpareCounters
  readonly names: SpareCounters
  /** Returns whether a counter may become a row. */
  mayAddCounter(isRepeatedName: boolean): boolean
  counterAdded(): void
  /** Takes the share of a client, or of a known device, for a request that adds rows. Returns 0, or how long to wait, in ms. */
  ask(ip: string | null, amount: number): number
  askOfDevice(deviceId: string, amount: number): number
  refused(): void
  tally(): StrangersTally
}

/** Creates the limits. Without `bounds` everything may be stored. */
export function createStrangers(clock: Clock, bounds: boolean): Strangers {
  const counts = createEventCounts(ceiling.events, clock)
  const counterRows = createBucket(ceiling.counters, clock)
  const asks = createFairBucket(ceiling.asks, clock)
  const deviceAsks = createFairBucket(ceiling.deviceAsks, clock)
  const countedEvents = new Map<EventName, number>()
  let countersKept = 0
  let asksRefused = 0

  function noting(spare: SpareCounters): SpareCounters {
    return {
      ...spare,
      add(...what) {
        countersKept += 1
        return spare.add(...what)
      },
    }
  }

  return {
    events: {
      ...counts,
      mayStore: (name, ip) => !bounds || counts.mayStore(name, ip),
      add(name: EventName, userId: UserId | null, ip: string | null) {
        countedEvents.set(name, (countedEvents.get(name) ?? 0) + 1)
        counts.add(name, userId, ip)
      },
    },
    addresses: noting(createRecentCounters(recentAddresses)),
    names: noting(createSharedCounters(sharedCells)),
    mayAddCounter: (isRepeatedName) => counterRows.level() >= 1 + (isRepeatedName ? 0 : keptForRepeated),
    counterAdded: () => counterRows.take(1),
    ask: (ip, amount) => (bounds ? asks.take(blockOf(ip, shareBits), amount) : 0),
    askOfDevice: (deviceId, amount) => deviceAsks.take(deviceId, amount),
    refused() {
      asksRefused += 1
    },
    tally: () => ({ events: countedEvents, counters: countersKept, asks: asksRefused }),
  }
}

/** The most that a single owner may hold: shares belong to the /16 of an IPv4 address or the /32 of an IPv6 address. */
const shareBits = { ipv4: 16, ipv6: 32 } as const
