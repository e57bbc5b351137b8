import type { ClientTokenClaims } from '../../domain/access-tokens.ts'
import { apiTokenPrefix, findApiToken, removeApiToken } from '../../domain/api-tokens.ts'
import { record } from '../../domain/audit.ts'
import type { Deps } from '../../domain/deps.ts'
import { findRefreshToken } from '../../domain/refresh-tokens.ts'
import { revokeToken } from '../../domain/revoked-tokens.ts'
import type { ServiceClient } from '../../domain/service-clients.ts'
import { endSession } from '../../domain/sessions.ts'
import type { Actor } from '../../kernel/actor.ts'
import { undefinedOn } from '../../kernel/errors.ts'
import type { SessionId, UserId } from '../../kernel/ids.ts'
import { transact } from '../../store/unit-of-work.ts'

/**
 * Revokes a token (RFC 7009). Any holder of a user's access or refresh token may end its session, and anyone who finds an API token may revoke it; the access
 * token of a service client can be revoked only by that client. Everything else has no effect and is not an error.
 */
export async function revoke(
  deps: Deps,
  actor: Actor,
  client: ServiceClient | undefined,
  input: { token: string },
): Promise<void> {
  if (input.token.startsWith(apiTokenPrefix)) return revokeApiToken(deps, actor, input.token)

  const held = await findRefreshToken(deps.store.db, deps.keyring, input.token)
  if (held) return endSessionOf(deps, actor, held.session.user_id, held.session.id)

  const access = await undefinedOn('token_invalid', () => deps.accessTokens.verifyAny(input.token))
  if (access?.kind === 'user') return endSessionOf(deps, actor, access.claims.sub, access.claims.sid)
  if (access && access.claims.client_id === client?.id) return revokeOwn(deps, actor, access.claims)
}

async function endSessionOf(deps: Deps, actor: Actor, user: UserId, session: SessionId): Promise<void> {
  await transact(deps, actor, async (work) => {
    if (await endSession(work, user, session))
      await record(work, 'session.ended', user, { session_id: session, reason: 'token_revoked' })
  })
}

async function revokeOwn(deps: Deps, actor: Actor, { client_id, jti, exp }: ClientTokenClaims): Promise<void> {
  await transact(deps, actor, async (work) => {
    if (await revokeToken(work, { jti, exp })) await record(work, 'service_token.revoked', null, { client_id, jti })
  })
}

async function revokeApiToken(deps: Deps, actor: Actor, text: string): Promise<void> {
  const row = await findApiToken(deps.store.db, text)
  if (!row) return

  await transact(deps, actor, async (work) => {
    if (await removeApiToken(work, row.user_id, row.id))
      await record(work, 'api_token.revoked', row.user_id, { token_id: row.id, by: 'holder' })
  })
}
