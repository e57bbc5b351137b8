import { recordCounted } from '../domain/audit.ts'
import type { Deps } from '../domain/deps.ts'
import { systemActor } from '../kernel/actor.ts'
import { transact } from '../store/unit-of-work.ts'

/** Stores the counts of strangers' events for past minutes, or all counts with `all`. After a failure, a later run stores them. */
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

/** Creates a job that logs how much this process counted, kept in memory or rejected for strangers since its last run, if anything. */
export function tellOfCeiling({ strangers, log }: Deps): () => Promise<void> {
  let told = { events: 0, counters: 0, asks: 0 }
  return async () => {
    const { events: byName, counters, asks } = strangers.tally()
    const now = { events: [...byName.values()].reduce((sum, count) => sum + count, 0), counters, asks }
    const [events, kept, refused] = [now.events - told.events, counters - told.counters, asks - told.asks]
    told = now
    if (events + kept + refused === 0) return

    log.warn({ events, counters: kept, refused }, 'strangers cause more events, counters or mails than are stored')
  }
}
