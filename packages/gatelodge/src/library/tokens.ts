import type { AccessTokenClaims } from '../domain/access-tokens.ts'
import { decideSignIn } from '../domain/authentication.ts'
import { isTokenSessionOf } from '../domain/session-cache.ts'
import { lockUser } from '../domain/user-rows.ts'
import type { User } from '../domain/users.ts'
import { readCredential } from '../http/authenticate.ts'
import {
  InvalidAuthorizationHeader,
  isAuthError,
  NotAuthenticated,
  PasswordChangeRequiredError,
  SessionValidationError,
  TokenError,
  UserNotFound,
} from '../kernel/errors.ts'
import type { SessionId, UserId } from '../kernel/ids.ts'
import { transact } from '../store/unit-of-work.ts'
import type { Auth } from './auth.ts'
import { actorOf, type Engine, engineOf } from './engine.ts'
import { syncById } from './external-users.ts'
import { holderOf } from './holder.ts'
import { accessTokenSchema, readInput } from './input.ts'
import { raising } from './naming.ts'
import { type PublicUser, toPublicUser } from './public-user.ts'

export interface ValidatedToken {
  readonly username: string | null
  readonly fullname: string
  readonly sub: string
  /** s since 1970 */
  readonly exp: number
}

export interface TokenPayload {
  /** The user's id. */
  readonly sub: string
  /** s since 1970 */
  readonly exp: number
}

/** What a token stands for, as data. `active` alone decides; `reason` says why not. */
export type Introspection =
  | { readonly active: true; readonly user: PublicUser; readonly reason: null }
  | {
      readonly active: false
      readonly user: null
      readonly reason: 'token_invalid' | 'user_not_found' | 'service_unavailable'
    }

/** The token of an `Authorization: Bearer <token>` header (RFC 6750, section 2.1). @throws InvalidAuthorizationHeader */
export function getToken(header: string | null | undefined): string {
  const credential = readCredential(header ?? undefined, undefined)
  if (credential?.kind !== 'bearer') throw new InvalidAuthorizationHeader()
  return credential.text
}

/** Names the user of an access token that is genuine, unexpired and not revoked. @throws TokenError */
export function validateToken(auth: Auth, token: string): Promise<ValidatedToken> {
  return raising({ token_invalid: TokenError, user_not_found: TokenError }, async () => {
    const { claims, me } = await holderOf(engineOf(auth), token)
    return { username: me.user.username, fullname: me.user.fullname, sub: claims.sub, exp: claims.exp }
  })
}

/** The public part of a token's user. @throws InvalidToken, UserNotFound (a genuine token without its user) */
export function getLoggedInUser(auth: Auth, token: string): Promise<PublicUser> {
  return raising({}, async () => toPublicUser((await holderOf(engineOf(auth), token)).me.user))
}

/** The whole account of a token's user, with profile and roles. @throws NotAuthenticated (no token), InvalidToken, UserNotFound */
export function getCurrentUser(auth: Auth, token: string | null | undefined): Promise<User> {
  return raising({}, async () => {
    if (token === null || token === undefined) throw new NotAuthenticated()
    return (await holderOf(engineOf(auth), token)).me.user
  })
}

/** What a token stands for, for services that ask on somebody's behalf. Never raises: every outcome is data. */
export async function introspectToken(auth: Auth, token: string): Promise<Introspection> {
  try {
    return { active: true, user: await getLoggedInUser(auth, token), reason: null }
  } catch (error) {
    if (isAuthError(error, 'token_invalid')) return inactive('token_invalid')
    if (isAuthError(error, 'user_not_found')) return inactive('user_not_found')
    engineOf(auth).deps.log.error({ err: error }, 'a token could not be introspected')
    return inactive('service_unavailable')
  }
}

/**
 * Signs an access token for the account `sub`. With `sid`, for that live session of theirs; without, for a new session, on the word of a host that
 * proved the person by means of its own. A token always has a session, so that it can be revoked.
 * @throws UserNotFound, SessionValidationError (no such live session), account_inactive, email_unverified
 */
export function createAccessToken(auth: Auth, data: { sub: string; sid?: string | undefined }): Promise<string> {
  return raising({ token_invalid: SessionValidationError }, async () => {
    const engine = engineOf(auth)
    const { sub, sid } = readInput(accessTokenSchema, data)
    const session = sid === undefined ? await startVouched(engine, sub) : await liveSession(engine, sub, sid)
    return (await engine.deps.accessTokens.sign(session)).text
  })
}

/** Every claim of an access token whose signature, issuer, audience and time are good. Says nothing of revocation. @throws InvalidToken */
export function getJwtPayload(auth: Auth, token: string): Promise<AccessTokenClaims> {
  return raising({}, () => engineOf(auth).deps.accessTokens.verify(String(token)))
}

/** Subject and expiry of an access token that is genuine, unexpired and not revoked. @throws InvalidToken, UserNotFound */
export function getValidatedTokenPayload(auth: Auth, token: string): Promise<TokenPayload> {
  return raising({}, async () => {
    const { claims } = await holderOf(engineOf(auth), token)
    return { sub: claims.sub, exp: claims.exp }
  })
}

function inactive(reason: Exclude<Introspection['reason'], null>): Introspection {
  return { active: false, user: null, reason }
}

async function startVouched(engine: Engine, sub: string) {
  const { deps } = engine
  if (deps.accounts.isExternal && !(await syncById(engine, sub))) throw new UserNotFound()
  const decision = await transact(deps, actorOf(deps), async (work) => {
    const user = await lockUser(work, sub as UserId) // a text that is no user's id finds nobody
    if (!user) throw new UserNotFound()
    return decideSignIn(deps, work, user, { methods: [], assurance: 'aal1' }, { kind: 'token', remember: false })
  })
  if (decision.status !== 'signed_in') throw new PasswordChangeRequiredError(decision.ticket, decision.expiresIn)
  return { userId: decision.user.id, sessionId: decision.row.id, roles: decision.user.roles }
}

async function liveSession({ deps }: Engine, sub: string, sid: string) {
  const live = await deps.sessionCache.find(sid as SessionId) // a text that is no session's id finds none
  if (!isTokenSessionOf(live, sub)) throw new SessionValidationError()
  return { userId: live.user.id, sessionId: live.session.id, roles: live.user.roles }
}
