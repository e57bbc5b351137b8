import type { Invalidations, Store } from '../store/store.ts'

/** A value from the database, cached in memory while nothing can have changed it. */
export interface Cached<T> {
  /** Returns the cached value, or undefined if the database has to be read. */
  peek(): T | undefined
  /** Returns the value from the cache, or reads it from the database. */
  get(): Promise<T>
}

/**
 * Caches the result of `read` until a commit, in this or another process, declares a change for all users (`work.changed('all')`). Intended for small tables
 * that change rarely. `read` receives the previous value, so that it can return it if nothing changed. Like the session cache, it trusts memory only while
 * the store can vouch for it (decision 14).
 */
export function cached<T extends object>(
  { store, invalidations }: { store: Store; invalidations: Invalidations },
  read: (before: T | undefined) => Promise<T>,
): Cached<T> {
  let value: T | undefined
  let isFresh = false
  let version = store.foreignVersion()
  /** Increases with each change, so that a read that started before it is not cached. */
  let changes = 0

  invalidations.subscribe((users) => {
    if (users === 'all') drop()
  })

  function drop(): void {
    isFresh = false
    changes += 1
  }

  function look(): void {
    const seen = store.foreignVersion() // if it throws, the cache returns nothing
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
