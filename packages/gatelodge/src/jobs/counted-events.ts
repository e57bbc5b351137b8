import { recordCounted } from '../domain/audit.ts'
import type { Deps } from '../domain/deps.ts'
import { systemActor } from '../kernel/actor.ts'
import { transact } from '../store/unit-of-work.ts'

/** Stores what was counted of strangers' events in minutes that are over, or `all` of it. What a failure left is stored by a later run. */
export async function storeCountedEvents(deps: Deps, { all = false } = {}): Promise<void> {
  const { events } = deps.strangers
  const due = events.takeDue(all)
  if (due.length === 0) return

  try {
    await transact(deps, systemActor('job', 'counted-events'), async (work) => {
      for (const counted of due) await recordCounted(work, counted)
    })
  } catch (error) {
    events.giveBack(due)
    throw error
  }
}

/** A job that logs what strangers made this process count, keep in memory or refuse since its last run, if anything. */
export function tellOfCeiling({ strangers, log }: Deps): () => Promise<void> {
  let told = { events: 0, counters: 0, asks: 0 }
  return async () => {
    const { events: byName, counters, asks } = strangers.tally()
    const now = { events: [...byName.values()].reduce((sum, count) => sum + count, 0), counters, asks }
    const [events, kept, refused] = [now.events - told.events, counters - told.counters, asks - told.asks]
    told = now
    if (events + kept + refused === 0) return

    log.warn({ events, counters: kept, refused }, 'strangers ask for more than is stored')
  }
}
