import type { AccessTokenClaims } from '../domain/access-tokens.ts'
import { assertFresh } from '../domain/freshness.ts'
import type { LiveSession } from '../domain/session-cache.ts'
import { findUser } from '../domain/users.ts'
import { sessionOfAccessToken } from '../http/authenticate.ts'
import type { Actor } from '../kernel/actor.ts'
import { InvalidToken, NotAuthenticated, UserNotFound } from '../kernel/errors.ts'
import { actorOf, type Caller, type Engine } from './engine.ts'
import { syncById } from './external-users.ts'

export interface Holder {
  readonly claims: AccessTokenClaims
  readonly me: LiveSession
}

/** Returns the claims and session of a genuine, unexpired access token whose session and user still exist. @throws InvalidToken, UserNotFound */
export async function holderOf(engine: Engine, token: string): Promise<Holder> {
  if (typeof token !== 'string') throw new InvalidToken()

  const claims = await engine.deps.accessTokens.verify(token)
  const isThere = engine.deps.accounts.isExternal
    ? await syncById(engine, claims.sub)
    : (await findUser(engine.deps.store.db, claims.sub)) !== undefined
  if (!isThere) throw new UserNotFound()

  return { claims, me: await sessionOfAccessToken(engine.deps, token) }
}

/**
 * Returns the signed-in user for whom an operation acts. With `fresh`, the user must have proved their identity recently.
 * @throws NotAuthenticated without a token, InvalidToken, UserNotFound, reauthentication_required
 */
export async function signedIn(
  engine: Engine,
  caller: Caller,
  { fresh = false }: { readonly fresh?: boolean } = {},
): Promise<{ actor: Actor; me: LiveSession }> {
  if (caller.token === undefined) throw new NotAuthenticated()

  const { me } = await holderOf(engine, caller.token)
  if (fresh) assertFresh(engine.deps, me.principal)
  engine.deps.sessionCache.touch(me)
  return { actor: actorOf(engine.deps, caller, me), me }
}
