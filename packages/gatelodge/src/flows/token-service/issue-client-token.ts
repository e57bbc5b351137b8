import type { SignedToken } from '../../domain/access-tokens.ts'
import { record } from '../../domain/audit.ts'
import type { Deps } from '../../domain/deps.ts'
import { scopesOf } from '../../domain/scopes.ts'
import type { ServiceClient } from '../../domain/service-clients.ts'
import type { Actor } from '../../kernel/actor.ts'
import { AuthError } from '../../kernel/errors.ts'
import { transact } from '../../store/unit-of-work.ts'

/**
 * Issues an access token to a service client for itself (RFC 6749, section 4.4), with the scopes that it requested, or all that it may have. There is no
 * refresh token: the client requests a new access token.
 * @throws unsupported_grant_type, invalid_scope
 */
export async function issueClientToken(
  deps: Deps,
  actor: Actor,
  client: ServiceClient,
  input: { grantType: string; scope?: string | undefined },
): Promise<SignedToken & { scope: string }> {
  if (input.grantType !== 'client_credentials') throw new AuthError('unsupported_grant_type')

  const asked = input.scope === undefined ? client.scopes : [...new Set(scopesOf(input.scope))]
  if (!asked.every((scope) => client.scopes.includes(scope))) throw new AuthError('invalid_scope')

  const scope = asked.join(' ')
  const token = await deps.accessTokens.signForClient({ clientId: client.id, scope })
  await transact(deps, actor, (work) =>
    record(work, 'service_token.issued', null, { client_id: client.id, jti: token.jti, scope }),
  )
  return { ...token, scope }
}
