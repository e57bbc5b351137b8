import type { Deps } from '../../domain/deps.ts'
import { mailBacklog } from '../../domain/outbox.ts'
import { AuthError } from '../../kernel/errors.ts'

/** What the server's work depends on, as numbers an operator can watch. @throws service_unavailable when the database does not answer */
export async function readiness(deps: Deps) {
  try {
    const mail = await mailBacklog(deps.store.db, deps.clock.now())
    return {
      status: 'ok',
      database: 'ok',
      mail: { waiting: mail.waiting, failed: mail.failed, oldest_seconds: Math.floor(mail.oldestDue / 1000) },
      password_hashing: deps.hasher.load(),
    }
  } catch (cause) {
    throw new AuthError('service_unavailable', { detail: 'The database does not answer', retryAfter: 5, cause })
  }
}
