import type { Deps } from '../../domain/deps.ts'
import { mailBacklog } from '../../domain/outbox.ts'
import { second } from '../../kernel/clock.ts'
import { AuthError } from '../../kernel/errors.ts'
import { within } from '../../kernel/within.ts'

/** Whoever asks wants to know soon, in ms. */
const patience = 2 * second

/** What the server's work depends on, as numbers an operator can watch. @throws service_unavailable when the database does not answer */
export async function readiness(deps: Deps) {
  if (deps.stopping.aborted)
    throw new AuthError('service_unavailable', { detail: 'The server is stopping', retryAfter: 5 })
  const { running, waiting } = deps.hasher.load()
  try {
    const mail = await within(
      patience,
      mailBacklog(deps.store.db, deps.clock.now()),
      () => new Error('no answer in time'),
    )
    return {
      status: 'ok',
      database: 'ok',
      mail: { waiting: mail.waiting, failed: mail.failed, oldest_seconds: Math.floor(mail.oldestDue / 1000) },
      password_hashing: { running, waiting },
    }
  } catch (cause) {
    throw new AuthError('service_unavailable', { detail: 'The database does not answer', retryAfter: 5, cause })
  }
}
