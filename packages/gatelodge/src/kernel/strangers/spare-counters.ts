import { type Instant, second } from '../clock.ts'

/** A count as memory has it. */
export interface SpareCount {
  readonly count: number
  /** When it began, or when it last grew: see the two kinds. */
  readonly since: Instant
}

/** Counts in memory of fixed size, for what gets no row while strangers flood the server. */
export interface SpareCounters {
  /** What is remembered of a key; `memory` is in ms from `since`. */
  find(key: string, now: Instant, memory: number): SpareCount | undefined
  add(key: string, now: Instant, memory: number): SpareCount
  forget(key: string): void
}

/**
 * Counts from their first one on, of the keys used last. For client addresses: who has enough of them to push one out gains nothing by it, since
 * a new address would do as well.
 */
export function createRecentCounters(most: number): SpareCounters {
  const counts = new Map<string, SpareCount>() // the one used longest ago first

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
      if (counts.size > most) counts.delete(counts.keys().next().value as string) // there is one
      return next
    },
    forget: (key) => void counts.delete(key),
  }
}

/**
 * Counts from their last one on that are never pushed out: each key has two cells, shared with others by chance, and the lower of them is its count
 * (count-min sketch, conservative update). So it may be too high, never too low: no flood of names wins anybody a guess at another one.
 * `cells` is a power of two; the keys are hashes that nobody outside can choose.
 */
export function createSharedCounters(cells: number): SpareCounters {
  let counts: Uint16Array | undefined // made when first needed: it takes megabytes
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

/** One cell in either half. */
function cellsOf(key: string, cells: number): readonly [number, number] {
  const bytes = Buffer.from(key, 'base64url')
  return [bytes.readUInt32LE(0) & (cells - 1), cells + (bytes.readUInt32LE(4) & (cells - 1))]
}
