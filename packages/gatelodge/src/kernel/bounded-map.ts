import { systemRandom } from './random.ts'

/** A map that holds a limited number of entries. */
export interface BoundedMap<K, V> {
  get(key: K): V | undefined
  /** Adds or replaces an entry. A new one in a full map removes another, which is returned. */
  set(key: K, value: V): V | undefined
  delete(key: K): void
  clear(): void
  readonly size: number
}

/**
 * Creates a map of at most `capacity` entries that removes one at random when it is full. To remove the oldest, or the least recently used, would leave nothing
 * to find once the keys in use come round in turn and are a single one too many: each would have been removed just before its turn. At random, a map that
 * holds nine tenths of the keys in use finds most of them. `draw` returns numbers from 0 up to, but not including, 1.
 *
 * @example
 * const names = createBoundedMap<string, string>(20_000)
 * names.set('ada', 'Ada Lovelace')
 */
export function createBoundedMap<K, V>(capacity: number, draw: () => number = drawFraction): BoundedMap<K, V> {
  const entries = new Map<K, { value: V; place: number }>()
  /** The keys in no order, without gaps, to draw one of them. */
  const keys: K[] = []

  function remove(key: K): V | undefined {
    const entry = entries.get(key)
    if (!entry) return undefined

    entries.delete(key)
    const last = keys.pop() as K // there is at least this one
    const moved = entries.get(last)
    if (moved) {
      moved.place = entry.place
      keys[entry.place] = last
    }
    return entry.value
  }

  return {
    get: (key) => entries.get(key)?.value,
    set(key, value) {
      const entry = entries.get(key)
      if (entry) {
        entry.value = value
        return undefined
      }
      const removed = entries.size < capacity ? undefined : remove(keys[Math.floor(draw() * keys.length)] as K)
      entries.set(key, { value, place: keys.length })
      keys.push(key)
      return removed
    },
    delete: (key) => void remove(key),
    clear() {
      entries.clear()
      keys.length = 0
    },
    get size() {
      return entries.size
    },
  }
}

function drawFraction(): number {
  return systemRandom.bytes(4).readUInt32LE() / 2 ** 32
}
