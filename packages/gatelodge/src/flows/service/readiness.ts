import type { Deps } from '../../domain/deps.ts'
import { readOutbox } from '../../domain/outbox.ts'
import { second } from '../../kernel/clock.ts'
import { AuthError } from '../../kernel/errors.ts'
import { within } from '../../kernel/within.ts'
import { shareProof } from './write-proof.ts'

/** How long an answer may take, in ms. */
const patience = 2 * second

const proofs = new WeakMap<Deps, () => Promise<void>>()

/**
 * Returns ok if the server can do its work. Says nothing of work in progress, such as how many emails are waiting or since when: an email waits for an address
 * that has an account, so this would reveal to strangers which addresses have one. Those figures are on the metrics listener.
 * @throws service_unavailable, with what is wrong, if the database does not answer or accepts no writes
 */
export async function readiness(deps: Deps): Promise<{ status: 'ok'; database: 'ok'; mail: 'ok' }> {
  if (deps.stopping.aborted) throw unavailable('The server is stopping')
  const [read, written] = await Promise.allSettled([
    within(patience, readOutbox(deps.store.db), tooLate),
    within(patience, proveWrite(deps), tooLate),
  ])
  if (read.status === 'rejected') throw unavailable('The database does not answer', read.reason)
  if (written.status === 'rejected') throw unavailable('The database cannot be written', written.reason)

  return { status: 'ok', database: 'ok', mail: 'ok' }
}

/** Proves that the database accepts writes, at most once a second, regardless of the number of callers. */
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
