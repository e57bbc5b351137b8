import { type Clock, type Instant, minute } from '../clock.ts'
import type { EventName } from '../events.ts'
import type { UserId } from '../ids.ts'
import { type Bucket, createBucket, type Rate } from './bucket.ts'
import { blockOf } from './networks.ts'

/** Counted events with the same name about one account, from one network, or neither. */
export interface CountedEvents {
  readonly name: EventName
  readonly userId: UserId | null
  readonly network: string | null
  readonly count: number
  readonly from: Instant
}

/** Decides which events caused by strangers are stored individually, and counts the others. */
export interface EventCounts {
  /**
   * Returns whether one more event may be stored as a row. Must not depend on the account that it is about: the response time would reveal whether the
   * account exists.
   */
  mayStore(name: EventName, ip: string | null): boolean
  add(name: EventName, userId: UserId | null, ip: string | null): void
  /** Returns and clears the counts of past minutes, or all counts. */
  takeDue(all: boolean): readonly CountedEvents[]
  /** Adds counts again that could not be stored. */
  giveBack(counted: readonly CountedEvents[]): void
}

/** Stored events per name, network and minute. */
const storedEach = 10
/** Accounts, and networks, counted separately in one minute. */
const mostApart = 100

/**
 * Creates the counts; `rate` limits the rows per event name. A network is the /24 of an IPv4 address or the /48 of an IPv6 address: the most that one
 * customer is assigned.
 */
export function createEventCounts(rate: Rate, clock: Clock): EventCounts {
  const buckets = new Map<EventName, Bucket>()
  const stored = new Map<string, number>()
  let storedMinute = 0
  let counted = new Map<string, CountedEvents>()
  let apart = { accounts: 0, networks: 0 }

  function bucketOf(name: EventName): Bucket {
    const bucket = buckets.get(name) ?? createBucket(rate, clock)
    buckets.set(name, bucket)
    return bucket
  }

  function add(events: CountedEvents): void {
    if (addTo(events)) return
    addTo({ ...events, userId: null, network: null })
  }

  /** Returns false if there is no room to count this account or network separately. */
  function addTo(events: CountedEvents): boolean {
    const key = `${events.name} ${events.userId} ${events.network}`
    const before = counted.get(key)
    const kind = events.userId === null ? 'networks' : 'accounts'
    const isApart = events.userId !== null || events.network !== null
    if (!before && isApart && apart[kind] >= mostApart) return false

    if (!before && isApart) apart[kind] += 1
    counted.set(key, { ...events, count: (before?.count ?? 0) + events.count, from: before?.from ?? events.from })
    return true
  }

  return {
    mayStore(name, ip) {
      const now = minuteOf(clock.now())
      if (now !== storedMinute) stored.clear()
      storedMinute = now

      const key = `${name} ${blockOf(ip, networkBits)}`
      const before = stored.get(key) ?? 0
      const bucket = bucketOf(name)
      if (before >= storedEach || bucket.level() < 1) return false

      bucket.take(1)
      stored.set(key, before + 1)
      return true
    },
    add(name, userId, ip) {
      const network = userId === null ? blockOf(ip, networkBits) || null : null
      add({ name, userId, network, count: 1, from: clock.now() })
    },
    takeDue(all) {
      const [oldest] = counted.values()
      if (!oldest || (!all && minuteOf(oldest.from) === minuteOf(clock.now()))) return []

      const due = [...counted.values()]
      counted = new Map()
      apart = { accounts: 0, networks: 0 }
      return due
    },
    giveBack(events) {
      for (const each of events) add(each)
    },
  }
}

const networkBits = { ipv4: 24, ipv6: 48 } as const

function minuteOf(instant: Instant): number {
  return Math.floor(instant / minute)
}
