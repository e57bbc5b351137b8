import type { RecordedEvent } from '../kernel/events.ts'
import type { Store } from '../store/store.ts'

/** Sees to it that a deleted account is in no file of the database some seconds later. */
export interface Erasure {
  /** Told what was recorded. */
  recorded(events: readonly RecordedEvent[]): void
  /** Wipes what was deleted since the last run, all of it at once. */
  runDue(): Promise<void>
}

/** Nothing to wipe yet. */
export function createErasure(store: Pick<Store, 'wipe'>): Erasure {
  let isDue = false

  return {
    recorded(events) {
      if (events.some(({ name }) => name === 'user.deleted')) isDue = true
    },

    async runDue() {
      if (!isDue) return

      isDue = false
      const isWiped = await store.wipe().catch((error: unknown) => {
        isDue = true
        throw error
      })
      if (!isWiped) isDue = true
    },
  }
}
