/** Where an item waits: the names of its group, of the group within that one and so on, down to its line. */
export type Path = readonly string[]

/** A bounded queue of lines in nested groups. At every level the groups take turns, as do the lines of the innermost groups. */
export interface FairQueue<Item> {
  readonly size: number
  /**
   * Adds an item to the end of the line at `path`, which must not lie within another line. If the queue is full, returns the item to drop: the newest item in
   * the largest group at every level, which is the newcomer's own place unless another is larger.
   */
  push(path: Path, item: Item): Item | undefined
  /** Removes and returns the oldest item of the line whose turn it is. */
  shift(): Item | undefined
  /** Returns how many items wait in a group or line. */
  waitingAt(path: Path): number
}

/** A group of groups, or a line of items. */
interface Group<Item> {
  size: number
  /** In the order of their turns. */
  readonly groups: Map<string, Group<Item>>
  readonly items: Item[]
}

/** Creates an empty queue for at most `capacity` items. */
export function createFairQueue<Item>(capacity: number): FairQueue<Item> {
  const all = emptyGroup<Item>()
  return {
    get size() {
      return all.size
    },

    push(path, item) {
      add(all, path, item)
      // A client that fills the queue, from however many places, must not block the others: the largest group loses what it has beyond them.
      return all.size > capacity ? takeFromLargest(all, path) : undefined
    },

    shift: () => (all.size === 0 ? undefined : takeTurn(all)),

    waitingAt(path) {
      let group: Group<Item> | undefined = all
      for (const name of path) group = group?.groups.get(name)
      return group?.size ?? 0
    },
  }
}

function emptyGroup<Item>(): Group<Item> {
  return { size: 0, groups: new Map(), items: [] }
}

function add<Item>(group: Group<Item>, [name, ...inner]: Path, item: Item): void {
  group.size += 1
  if (name === undefined) {
    group.items.push(item)
    return
  }
  const next = group.groups.get(name) ?? emptyGroup<Item>()
  group.groups.set(name, next)
  add(next, inner, item)
}

function takeTurn<Item>(group: Group<Item>): Item | undefined {
  group.size -= 1
  const [turn] = group.groups
  if (!turn) return group.items.shift()

  const [name, next] = turn
  const item = takeTurn(next)
  group.groups.delete(name)
  if (next.size > 0) group.groups.set(name, next)
  return item
}

function takeFromLargest<Item>(group: Group<Item>, [own, ...inner]: Path): Item | undefined {
  group.size -= 1
  if (group.groups.size === 0) return group.items.pop()

  // On a tie, the newcomer's own group loses, so that no waiting item makes way for a client that has as many; otherwise the group whose turn is furthest away.
  const [name, next] = [...group.groups].reduce((largest, other) => {
    const isLarger = other[1].size > largest[1].size
    return isLarger || (other[1].size === largest[1].size && largest[0] !== own) ? other : largest
  })
  const item = takeFromLargest(next, name === own ? inner : [])
  if (next.size === 0) group.groups.delete(name)
  return item
}
