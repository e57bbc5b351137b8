import { storeApiTokenUses } from '../domain/api-tokens.ts'
import type { Deps } from '../domain/deps.ts'
import { storeSessionUses } from '../domain/sessions.ts'
import { systemActor } from '../kernel/actor.ts'
import { transact } from '../store/unit-of-work.ts'

/** Sessions per statement. */
const chunkSize = 100

/** Stores the last uses noted by session checks and API tokens, in chunks, so that requests need not wait for it. After a failure, a later run stores them. */
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
