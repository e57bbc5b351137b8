import { type ApiToken, findApiTokensOf, removeApiToken } from '../../domain/api-tokens.ts'
import { record } from '../../domain/audit.ts'
import type { Deps } from '../../domain/deps.ts'
import type { LiveSession } from '../../domain/session-cache.ts'
import { lockCaller } from '../../domain/sessions.ts'
import type { Actor } from '../../kernel/actor.ts'
import { AuthError } from '../../kernel/errors.ts'
import { transact } from '../../store/unit-of-work.ts'

/** Returns the caller's live API tokens, newest first. */
export async function listApiTokens(deps: Deps, _actor: Actor, me: LiveSession): Promise<ApiToken[]> {
  return findApiTokensOf(deps.store.db, me.user.id, deps.clock.now())
}

/** Revokes one of the caller's own API tokens; it is rejected from the next request on. @throws token_invalid; not_found, also for another user's token */
export async function revokeApiToken(deps: Deps, actor: Actor, me: LiveSession, input: { id: string }): Promise<void> {
  const isGone = await transact(deps, actor, async (work) => {
    await lockCaller(work, me)
    if (!(await removeApiToken(work, me.user.id, input.id))) return false
    await record(work, 'api_token.revoked', me.user.id, { token_id: input.id, by: 'owner' })
    return true
  })
  if (!isGone) throw new AuthError('not_found')
}
