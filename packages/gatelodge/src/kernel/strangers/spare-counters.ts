import { type Instant, second } from '../clock.ts'

/** A count held in memory. */
export interface SpareCount {
  readonly count: number
  /** When the count started (recent counters) or last increased (shared counters). */
  readonly since: Instant
}

/** Counters in memory of fixed size, for counts that get no row while strangers flood the server. */
export interface SpareCounters {
  /** Returns the count of a key, if it is not older than `memory` (in ms from `since`). */
  find(key: string, now: Instant, memory: number): SpareCount | undefined
  add(key: string, now: Instant, memory: number): SpareCount
  forget(key: string): void
}

/**
 * Creates counters that start with the first count and keep the most recently used keys. For client addresses: an attacker with enough addresses to evict one
 * gains nothing, since a new address would serve as well.
 */
export function createRecentCounters(most: number): SpareCounters {
  const counts = new Map<string, SpareCount>() // least recently used first

  function find(key: string, now: Instant, memory: number): SpareCount | undefined {
    const found = counts.get(key)
    return found && now >= found.since && now < found.since + memory ? found : undefined
  }

  return {
    find,
    add(key, now, memory) {
      const before = find(key, now, memory)
      const next = { count: (before?.count ?? 0) + 1, since: before?.since ?? now }
      counts.delete(key)
      counts.set(key, next)
      if (counts.size > most) counts.delete(counts.keys().next().value as string) // never empty
      return next
    },
    forget: (key) => void counts.delete(key),
  }
}

/**
 * Creates counters that last from their latest count on and are never evicted: each key has two cells, which other keys may share, and its count is the lower
 * of the two (count-min sketch, conservative update). The count may be too high, but never too low, so that a flood of names does not win an attacker another
 * guess at one of them. `cells` is a power of two. Keys are hashes that an outsider cannot choose.
 */
export function createSharedCounters(cells: number): SpareCounters {
  let counts: Uint16Array | undefined // allocated on first use, since it takes megabytes
  let seconds: Uint32Array | undefined

  function live(cell: number, now: Instant, memory: number): number {
    const last = (seconds?.[cell] ?? 0) * second
    return now < last + memory ? (counts?.[cell] ?? 0) : 0
  }

  function lower(key: string, now: Instant, memory: number): { cell: number; count: number } {
    const [first, other] = cellsOf(key, cells)
    const [one, two] = [live(first, now, memory), live(other, now, memory)]
    return one < two ? { cell: first, count: one } : { cell: other, count: two }
  }

  return {
    find(key, now, memory) {
      const { cell, count } = lower(key, now, memory)
      return count === 0 ? undefined : { count, since: (seconds?.[cell] ?? 0) * second }
    },
    add(key, now, memory) {
      counts ??= new Uint16Array(2 * cells)
      seconds ??= new Uint32Array(2 * cells)
      const count = Math.min(lower(key, now, memory).count + 1, 0xffff)
      const at = Math.ceil(now / second)
      for (const cell of cellsOf(key, cells)) {
        if (live(cell, now, memory) >= count) continue
        counts[cell] = count
        seconds[cell] = at
      }
      return { count, since: at * second }
    },
    forget(key) {
      const pair = cellsOf(key, cells)
      const own = Math.min(...pair.map((cell) => counts?.[cell] ?? 0))
      for (const cell of pair) if (counts) counts[cell] = (counts[cell] ?? 0) - own
    },
  }
}

/** Returns one cell in each half. */
function cellsOf(key: string, cells: number): readonly [number, number] {
  const bytes = Buffer.from(key, 'base64url')
  return [bytes.readUInt32LE(0) & (cells - 1), cells + (bytes.readUInt32LE(4) & (cells - 1))]
}
