import { type Clock, hour, minute } from '../kernel/clock.ts'
import { isAuthError } from '../kernel/errors.ts'
import type { RecordedEvent } from '../kernel/events.ts'
import type { Log } from '../kernel/log.ts'
import type { Store } from '../store/store.ts'
import { findWipeRequest, settleWipeRequest } from '../store/wipe-requests.ts'

/** Ensures that within seconds no SQLite file contains data of a deleted account. */
export interface Erasure {
  /** Receives the recorded events. */
  recorded(events: readonly RecordedEvent[]): void
  /** Wipes everything deleted since the last run. A failure is logged once an hour, and retried. */
  runDue(): Promise<void>
  /** Wipes for the last time in this process. What fails is left to the next process. */
  finish(): Promise<void>
}

export interface ErasureOptions {
  readonly store: Store
  readonly clock: Clock
  readonly log: Pick<Log, 'warn'>
  /** Set for a command that may run next to a server. It leaves the deletions of others to the server. */
  readonly isCommand: boolean
  /** A monotonic clock, in ms. */
  readonly elapsed?: () => number
}

/** A visitor who creates and deletes accounts in a loop can make writers wait for at most a twentieth of the time. */
const restFactor = 20
/** Pause after a failure, in ms. */
const retryAfter = minute

/** Creates the erasure. Its requests are rows stored by the deletion: see `store/wipe-requests.ts`. */
export function createErasure(options: ErasureOptions): Erasure {
  const { store, clock, log, elapsed = () => performance.now() } = options
  let isOurs = !options.isCommand
  let restUntil = Number.NEGATIVE_INFINITY
  let toldAt = Number.NEGATIVE_INFINITY

  async function run(): Promise<void> {
    const request = await findWipeRequest(store.db)
    if (request === undefined) return
    // While another process reads the log, rewriting the file would only make the log longer.
    if (!(await store.truncateLog()) || elapsed() < restUntil) return

    const begun = elapsed()
    await store.rewrite()
    restUntil = elapsed() + restFactor * (elapsed() - begun)
    if (await store.truncateLog()) await settleWipeRequest(store, request, clock.now())
  }

  function failed(error: unknown): void {
    if (isAuthError(error, 'database_busy')) return // another writer is active

    restUntil = elapsed() + retryAfter
    if (elapsed() - toldAt < hour) return
    toldAt = elapsed()
    log.warn({ err: error }, 'deleted data could not be wiped from the database files; the job will retry')
  }

  return {
    recorded(events) {
      if (events.some(({ name }) => name === 'user.deleted')) isOurs = true
    },
    async runDue() {
      if (store.engine === 'sqlite') await run().catch(failed)
    },
    async finish() {
      restUntil = Number.NEGATIVE_INFINITY
      if (store.engine === 'sqlite' && isOurs) await run().catch(() => {})
    },
  }
}
