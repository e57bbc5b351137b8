import type { AccessTokenClaims, ClientTokenClaims } from '../../domain/access-tokens.ts'
import { apiTokenPrefix, type LiveApiToken } from '../../domain/api-tokens.ts'
import type { Deps } from '../../domain/deps.ts'
import { isTokenRevoked } from '../../domain/revoked-tokens.ts'
import { isTokenSessionOf, type LiveSession } from '../../domain/session-cache.ts'
import { undefinedOn } from '../../kernel/errors.ts'

/** What an active token represents. */
export type Introspected =
  | { readonly kind: 'user'; readonly claims: AccessTokenClaims; readonly live: LiveSession }
  | LiveApiToken
  | { readonly kind: 'client'; readonly claims: ClientTokenClaims }

/**
 * Returns what a token represents at this moment (RFC 7662): its session is live, its user active, its client not revoked. Undefined for everything else, for
 * whatever reason; also for refresh and session tokens, since a service that receives one must not mistake it for an access token.
 */
export async function introspect(deps: Deps, text: string): Promise<Introspected | undefined> {
  if (text.startsWith(apiTokenPrefix)) return ofApiToken(deps, text)

  return undefinedOn('token_invalid', async () => {
    const known = deps.accessTokens.recall(text) // a token that many services ask about costs only a digest
    if (known) return ofUser(deps, known)
    const held = await deps.accessTokens.verifyAny(text)
    return held.kind === 'user' ? ofUser(deps, held.claims) : ofClient(deps, held.claims)
  })
}

async function ofApiToken(deps: Deps, text: string): Promise<Introspected | undefined> {
  const live = await deps.apiTokens.find(text)
  if (!live) return undefined

  deps.apiTokens.touch(live.token)
  return live
}

async function ofUser(deps: Deps, claims: AccessTokenClaims): Promise<Introspected | undefined> {
  const found = deps.sessionCache.find(claims.sid)
  const live = found instanceof Promise ? await found : found
  if (!isTokenSessionOf(live, claims.sub)) return undefined

  deps.sessionCache.touch(live)
  return { kind: 'user', claims, live }
}

async function ofClient(deps: Deps, claims: ClientTokenClaims): Promise<Introspected | undefined> {
  const clients = deps.serviceClients.peek() ?? (await deps.serviceClients.get())
  if (!clients.has(claims.client_id) || (await isTokenRevoked(deps.store.db, claims.jti))) return undefined
  return { kind: 'client', claims }
}
