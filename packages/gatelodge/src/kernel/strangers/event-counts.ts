import { type Clock, type Instant, minute } from '../clock.ts'
import type { EventName } from '../events.ts'
import type { UserId } from '../ids.ts'
import { type Bucket, createBucket, type Rate } from './bucket.ts'
import { blockOf } from './networks.ts'

/** Events of one name that were counted, about one account, from one network, or the rest. */
export interface CountedEvents {
  readonly name: EventName
  readonly userId: UserId | null
  readonly network: string | null
  readonly count: number
  readonly from: Instant
}

/** Decides which events of strangers are stored one by one, and counts the others. */
export interface EventCounts {
  /** Whether one more may be a row. Who it is about must not matter here: the time of an answer would tell known from unknown. */
  mayStore(name: EventName, ip: string | null): boolean
  add(name: EventName, userId: UserId | null, ip: string | null): void
  /** Hands out what was counted in minutes that are over, or all of it. */
  takeDue(all: boolean): readonly CountedEvents[]
  /** Takes back what could not be stored. */
  giveBack(counted: readonly CountedEvents[]): void
}

/** So many of a name are stored for one network and minute. */
const storedEach = 10
/** So many accounts, and networks, are told apart in one minute. */
const mostApart = 100

/** `rate` is that of the rows of one name. A network is the /24 of an IPv4 address and the /48 of IPv6: what one customer is given at most. */
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

  /** False when there is no room to tell this account or network apart. */
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
