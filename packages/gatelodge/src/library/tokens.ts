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
  /** Seconds since 1970. */
  readonly exp: number
}

export interface TokenPayload {
  /** The ID of the user. */
  readonly sub: string
  /** Seconds since 1970. */
  readonly exp: number
}

/** The result of an introspection. Only `active` decides; `reason` says why a token is not active. */
export type Introspection =
  | { readonly active: true; readonly user: PublicUser; readonly reason: null }
  | {
      readonly active: false
      readonly user: null
      readonly reason: 'token_invalid' | 'user_not_found' | 'service_unavailable'
    }

/** Returns the token of an `Authorization: Bearer <token>` header (RFC 6750, section 2.1). @throws InvalidAuthorizationHeader */
export function getToken(header: string | null | undefined): string {
  const credential = readCredential(header ?? undefined, undefined)
  if (credential?.kind !== 'bearer') throw new InvalidAuthorizationHeader()
  return credential.text
}

/** Returns the user of a genuine, unexpired access token that has not been revoked. @throws TokenError */
export function validateToken(auth: Auth, token: string): Promise<ValidatedToken> {
  return raising({ token_invalid: TokenError, user_not_found: TokenError }, async () => {
    const { claims, me } = await holderOf(engineOf(auth), token)
    return { username: me.user.username, fullname: me.user.fullname, sub: claims.sub, exp: claims.exp }
  })
}

/** Returns the public fields of a token's user. @throws InvalidToken, UserNotFound (a genuine token without its user) */
export function getLoggedInUser(auth: Auth, token: string): Promise<PublicUser> {
  return raising({}, async () => toPublicUser((await holderOf(engineOf(auth), token)).me.user))
}

/** Returns the full account of a token's user, with profile and roles. @throws NotAuthenticated (no token), InvalidToken, UserNotFound */
export function getCurrentUser(auth: Auth, token: string | null | undefined): Promise<User> {
  return raising({}, async () => {
    if (token === null || token === undefined) throw new NotAuthenticated()
    return (await holderOf(engineOf(auth), token)).me.user
  })
}

/** Returns what a token stands for, to a service that acts for its user. Never throws: failures are results with `active: false`. */
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
 * Signs an access token for the account `sub`: for its valid session `sid` if given, otherwise for a new session, for a host that has authenticated the user
 * by other means. Each token belongs to a session, so that it can be revoked.
 * @throws UserNotFound, SessionValidationError (no valid session with this ID), account_inactive, email_unverified
 */
export function createAccessToken(auth: Auth, data: { sub: string; sid?: string | undefined }): Promise<string> {
  return raising({ token_invalid: SessionValidationError }, async () => {
    const engine = engineOf(auth)
    const { sub, sid } = readInput(accessTokenSchema, data)
    const session = sid === undefined ? await startVouched(engine, sub) : await liveSession(engine, sub, sid)
    return (await engine.deps.accessTokens.sign(session)).text
  })
}

/** Returns the claims of an access token whose signature, issuer, audience and time are valid. Does not check revocation. @throws InvalidToken */
export function getJwtPayload(auth: Auth, token: string): Promise<AccessTokenClaims> {
  return raising({}, () => engineOf(auth).deps.accessTokens.verify(String(token)))
}

/** Returns the subject and expiry of a genuine, unexpired access token that has not been revoked. @throws InvalidToken, UserNotFound */
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
    const user = await lockUser(work, sub as UserId) // any text is safe here: if it is not a user's ID, no row matches
    if (!user) throw new UserNotFound()
    return decideSignIn(deps, work, user, { methods: [], assurance: 'aal1' }, { kind: 'token', remember: false })
  })
  if (decision.status !== 'signed_in') throw new PasswordChangeRequiredError(decision.ticket, decision.expiresIn)
  return { userId: decision.user.id, sessionId: decision.row.id, roles: decision.user.roles }
}

async function liveSession({ deps }: Engine, sub: string, sid: string) {
  const live = await deps.sessionCache.find(sid as SessionId) // any text is safe here: if it is not a session ID, none matches
  if (!isTokenSessionOf(live, sub)) throw new SessionValidationError()
  return { userId: live.user.id, sessionId: live.session.id, roles: live.user.roles }
}
