import type { AccessTokenClaims } from '../domain/access-tokens.ts'
import { apiTokenPrefix } from '../domain/api-tokens.ts'
import type { Deps } from '../domain/deps.ts'
import type { LiveSession } from '../domain/session-cache.ts'
import { AuthError } from '../kernel/errors.ts'
import { parseToken, type SessionId, sameText, sha256 } from '../kernel/ids.ts'

/** What a request brought to say who it is: a bearer token before a cookie. */
export type Credential =
  | { readonly kind: 'bearer'; readonly text: string }
  | { readonly kind: 'cookie'; readonly text: string }
  | { readonly kind: 'malformed' }

/**
 * The credential of a request, or undefined when it brought none (RFC 6750, section 2.1). Of other schemes nothing is read: what a browser or a program sends
 * to something else at the same address must not hide the cookie.
 */
export function readCredential(authorization: string | undefined, cookie: string | undefined): Credential | undefined {
  if (authorization !== undefined) {
    const token = /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i.exec(authorization)?.[1]
    if (token !== undefined) return { kind: 'bearer', text: token }
    if (!isForeignScheme(authorization, 'bearer')) return { kind: 'malformed' }
  }
  return cookie === undefined ? undefined : { kind: 'cookie', text: cookie }
}

/**
 * Whether an Authorization header is of another scheme than `own` (RFC 9110, section 11.4), whatever that is made of. One without a scheme, such as an empty one
 * or a token alone, is not.
 */
export function isForeignScheme(authorization: string, own: 'bearer' | 'basic'): boolean {
  const [, scheme, lone] = /^(?:([^ \t]+)[ \t]|([a-z][a-z\d-]*)$)/i.exec(authorization) ?? []
  const named = scheme ?? lone
  return named !== undefined && named.toLowerCase() !== own
}

/** The live session that a credential names, or what an API token stands for; answers at once when memory has it. @throws token_invalid */
export function authenticate(deps: Deps, credential: Credential): LiveSession | Promise<LiveSession> {
  switch (credential.kind) {
    case 'cookie':
      return byCookie(deps, credential.text)
    case 'bearer':
      return credential.text.startsWith(apiTokenPrefix)
        ? byApiToken(deps, credential.text)
        : byAccessToken(deps, credential.text)
    case 'malformed':
      throw new AuthError('token_invalid')
  }
}

function byCookie(deps: Deps, text: string): LiveSession | Promise<LiveSession> {
  const parts = parseToken(text)
  if (!parts) throw new AuthError('token_invalid')

  const { secret } = parts
  const found = deps.sessionCache.find(parts.id as SessionId)
  return found instanceof Promise ? found.then((live) => holder(live, secret)) : holder(found, secret)
}

function holder(live: LiveSession | undefined, secret: string): LiveSession {
  if (!live || live.secretHash === null || !sameText(live.secretHash, sha256(secret)))
    throw new AuthError('token_invalid')
  return live
}

async function byApiToken(deps: Deps, text: string): Promise<LiveSession> {
  const live = await deps.apiTokens.find(text)
  if (!live) throw new AuthError('token_invalid')
  return live
}

function byAccessToken(deps: Deps, text: string): LiveSession | Promise<LiveSession> {
  const known = deps.accessTokens.recall(text)
  return known ? ofClaims(deps, known) : deps.accessTokens.verify(text).then((claims) => ofClaims(deps, claims))
}

function ofClaims(deps: Deps, claims: AccessTokenClaims): LiveSession | Promise<LiveSession> {
  const found = deps.sessionCache.find(claims.sid)
  return found instanceof Promise ? found.then((live) => owned(live, claims)) : owned(found, claims)
}

function owned(live: LiveSession | undefined, claims: AccessTokenClaims): LiveSession {
  if (live?.kind !== 'token' || live.user.id !== claims.sub) throw new AuthError('token_invalid')
  return live
}
