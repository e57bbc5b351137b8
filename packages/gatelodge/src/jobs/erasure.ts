import { type Clock, hour, minute } from '../kernel/clock.ts'
import { isAuthError } from '../kernel/errors.ts'
import type { RecordedEvent } from '../kernel/events.ts'
import type { Log } from '../kernel/log.ts'
import type { Store } from '../store/store.ts'
import { findWipeRequest, settleWipeRequest } from '../store/wipe-requests.ts'

/** Sees to it that a deleted account is in no file of SQLite some seconds later. */
export interface Erasure {
  /** Told what was recorded. */
  recorded(events: readonly RecordedEvent[]): void
  /** Wipes what was deleted since the last run, all of it at once. A failure is told once an hour, and tried again. */
  runDue(): Promise<void>
  /** The last run of this process; what it cannot wipe is left to the next. */
  finish(): Promise<void>
}

export interface ErasureOptions {
  readonly store: Store
  readonly clock: Clock
  readonly log: Pick<Log, 'warn'>
  /** A command beside a server, to which it leaves what others deleted. */
  readonly isCommand: boolean
  /** Never set back, ms. */
  readonly elapsed?: () => number
}

/** A stranger who deletes accounts in a loop makes writers wait for a twentieth of the time. */
const restFactor = 20
/** After a failure, ms. */
const retryAfter = minute

/** The request is a row that the deletion stored: see `store/wipe-requests.ts`. */
export function createErasure(options: ErasureOptions): Erasure {
  const { store, clock, log, elapsed = () => performance.now() } = options
  let isOurs = !options.isCommand
  let restUntil = Number.NEGATIVE_INFINITY
  let toldAt = Number.NEGATIVE_INFINITY

  async function run(): Promise<void> {
    const request = await findWipeRequest(store.db)
    if (request === undefined) return
    // While another process reads the log, to rewrite the file would only make the log longer.
    if (!(await store.truncateLog()) || elapsed() < restUntil) return

    const begun = elapsed()
    await store.rewrite()
    restUntil = elapsed() + restFactor * (elapsed() - begun)
    if (await store.truncateLog()) await settleWipeRequest(store, request, clock.now())
  }

  function failed(error: unknown): void {
    if (isAuthError(error, 'database_busy')) return // somebody else writes

    restUntil = elapsed() + retryAfter
    if (elapsed() - toldAt < hour) return
    toldAt = elapsed()
    log.warn({ err: error }, 'what was deleted could not be wiped from the files of the database; it is tried again')
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
