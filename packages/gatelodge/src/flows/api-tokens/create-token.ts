import { type ApiToken, insertApiToken } from '../../domain/api-tokens.ts'
import { record } from '../../domain/audit.ts'
import type { Deps } from '../../domain/deps.ts'
import { apiTokenNoticeBudget, spendAll } from '../../domain/limits.ts'
import { requestMail } from '../../domain/outbox.ts'
import type { LiveSession } from '../../domain/session-cache.ts'
import { lockCaller } from '../../domain/sessions.ts'
import type { Actor } from '../../kernel/actor.ts'
import { second, toIso } from '../../kernel/clock.ts'
import { transact } from '../../store/unit-of-work.ts'

export interface NewApiToken {
  readonly name: string
  readonly scopes: readonly string[]
  /** In seconds. */
  readonly expiresIn: number
}

/**
 * Creates an API token for the caller, whose proof must be fresh: see `Access`. Its text is shown once. The owner is notified by email, at most five times a
 * day, because the token outlives the session.
 * @throws input_invalid, token_invalid
 */
export async function createApiToken(
  deps: Deps,
  actor: Actor,
  me: LiveSession,
  input: NewApiToken,
): Promise<{ token: ApiToken; text: string }> {
  return transact(deps, actor, async (work) => {
    const user = await lockCaller(work, me) // two concurrent requests cannot both take the last free place
    const expiresAt = work.now + input.expiresIn * second
    const made = await insertApiToken(work, user.id, { name: input.name, scopes: input.scopes, expiresAt })
    const { id, scopes } = made.token
    if (await spendAll(deps, work, [apiTokenNoticeBudget], user.id))
      await requestMail(work, 'api_token_created', { userId: user.id, at: work.now, expiresAt })
    await record(work, 'api_token.created', user.id, { token_id: id, scopes, expires_at: toIso(expiresAt) })
    return made
  })
}
