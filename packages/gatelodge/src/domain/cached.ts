import type { Invalidations, Store } from '../store/store.ts'

/** A value that the database has and memory keeps while nothing can have changed it. */
export interface Cached<T> {
  /** The value as memory has it, or undefined when the database has to be asked. */
  peek(): T | undefined
  /** The value as the database has it. */
  get(): Promise<T>
}

/**
 * Keeps what `read` answers until a commit, here or in another process, changes something for everybody (`work.changed('all')`). Meant for
 * small tables that change rarely. `read` is given the value before, to answer it again when nothing of it is new. As the session cache, it trusts
 * memory only while the store can vouch for it (decision 14).
 */
export function cached<T extends object>(
  { store, invalidations }: { store: Store; invalidations: Invalidations },
  read: (before: T | undefined) => Promise<T>,
): Cached<T> {
  let value: T | undefined
  let isFresh = false
  let version = store.foreignVersion()
  /** Grows with each change, so that a read that began before it is not kept. */
  let changes = 0

  invalidations.subscribe((users) => {
    if (users === 'all') drop()
  })

  function drop(): void {
    isFresh = false
    changes += 1
  }

  function look(): void {
    const seen = store.foreignVersion() // when it throws, memory answers nobody
    if (seen !== version) drop()
    version = seen
  }

  return {
    peek() {
      look()
      return isFresh ? value : undefined
    },
    async get() {
      look()
      if (isFresh && value) return value

      const seenChanges = changes
      const answer = await read(value)
      look()
      value = answer
      isFresh = changes === seenChanges
      return answer
    },
  }
}
