import { storeApiTokenUses } from '../domain/api-tokens.ts'
import type { Deps } from '../domain/deps.ts'
import { storeSessionUses } from '../domain/sessions.ts'
import { systemActor } from '../kernel/actor.ts'
import { transact } from '../store/unit-of-work.ts'

/** Sessions of one statement. */
const chunkSize = 100

/** Stores the last uses that session checks and API tokens noted, in chunks, off the requests' path. What a failure left is stored by a later run. */
export async function storeLastSeen(deps: Deps): Promise<void> {
  const actor = systemActor('job', 'last-seen')
  const uses = deps.apiTokens.unstoredUses()
  if (uses.length > 0) await transact(deps, actor, (work) => storeApiTokenUses(work, uses))
  deps.apiTokens.storedUses(uses)

  const touches = deps.sessionCache.unstoredTouches()
  for (let at = 0; at < touches.length; at += chunkSize) {
    const chunk = touches.slice(at, at + chunkSize)
    await transact(deps, actor, (work) => storeSessionUses(work, chunk))
    deps.sessionCache.storedTouches(chunk)
  }
}
