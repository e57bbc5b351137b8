import { record } from '../domain/audit.ts'
import type { Deps } from '../domain/deps.ts'
import { systemActor } from '../kernel/actor.ts'
import { transact } from '../store/unit-of-work.ts'

/** Records the untrusted peer noted by requests, which need not wait for it. After a failure, a later run records it. */
export async function recordUntrustedPeer(deps: Deps): Promise<void> {
  const { untrustedPeers } = deps
  const peer = untrustedPeers.unrecorded()
  if (peer === undefined) return

  await transact(deps, systemActor('job', 'untrusted-peers'), (work) => record(work, 'proxy.untrusted', null, { peer }))
  untrustedPeers.recorded()
}
