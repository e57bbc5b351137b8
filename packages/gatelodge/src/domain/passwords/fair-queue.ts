/** A bounded queue in which every key has its own line and the lines take turns. */
export interface FairQueue<Item> {
  readonly size: number
  /** Adds an item. When the queue is full, answers the item that has to go: this one, or the newest of a key that has more waiting. */
  push(key: string, item: Item): Item | undefined
  /** The oldest item of the key whose turn it is. */
  shift(): Item | undefined
}

/** An empty queue for at most `capacity` items. */
export function createFairQueue<Item>(capacity: number): FairQueue<Item> {
  const lines = new Map<string, Item[]>() // in the order of their turns
  let size = 0

  function evict(limit: number): Item | undefined {
    const longest = [...lines.values()].reduce((a, b) => (b.length > a.length ? b : a), [])
    return longest.length > limit ? longest.pop() : undefined
  }

  return {
    get size() {
      return size
    },

    push(key, item) {
      const line = lines.get(key) ?? []
      // One client that fills the queue must not shut it for the others: it loses places to whoever has fewer.
      const evicted = size < capacity ? undefined : evict(line.length + 1)
      if (size >= capacity && evicted === undefined) return item

      line.push(item)
      lines.set(key, line)
      if (evicted === undefined) size += 1
      return evicted
    },

    shift() {
      const [next] = lines
      if (next === undefined) return undefined

      const [key, line] = next
      const item = line.shift()
      lines.delete(key)
      if (line.length > 0) lines.set(key, line)
      size -= 1
      return item
    },
  }
}
