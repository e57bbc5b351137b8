import type { Deps } from '../../domain/deps.ts'
import { mailBacklog } from '../../domain/outbox.ts'
import { second } from '../../kernel/clock.ts'
import { AuthError } from '../../kernel/errors.ts'
import { within } from '../../kernel/within.ts'
import { shareProof } from './write-proof.ts'

/** Whoever asks wants to know soon, in ms. */
const patience = 2 * second

const proofs = new WeakMap<Deps, () => Promise<void>>()

/** What the server's work depends on, as numbers an operator can watch. @throws service_unavailable when the database does not answer or takes no writes */
export async function readiness(deps: Deps) {
  if (deps.stopping.aborted) throw unavailable('The server is stopping')
  const { running, waiting } = deps.hasher.load()
  const [read, written] = await Promise.allSettled([
    within(patience, mailBacklog(deps.store.db, deps.clock.now()), tooLate),
    within(patience, proveWrite(deps), tooLate),
  ])
  if (read.status === 'rejected') throw unavailable('The database does not answer', read.reason)
  if (written.status === 'rejected') throw unavailable('The database cannot be written', written.reason)

  const mail = read.value
  return {
    status: 'ok',
    database: 'ok',
    mail: { waiting: mail.waiting, failed: mail.failed, oldest_seconds: Math.floor(mail.oldestDue / 1000) },
    password_hashing: { running, waiting },
  }
}

/** At most once a second, however many ask. */
function proveWrite(deps: Deps): Promise<void> {
  const known = proofs.get(deps)
  if (known) return known()

  const proof = shareProof(() => deps.store.proveWrite(), deps.clock)
  proofs.set(deps, proof)
  return proof()
}

function tooLate(): Error {
  return new Error('no answer in time')
}

function unavailable(detail: string, cause?: unknown): AuthError {
  return new AuthError('service_unavailable', { detail, retryAfter: 5, cause })
}
