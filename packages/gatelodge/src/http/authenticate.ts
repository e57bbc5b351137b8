import type { AccessTokenClaims } from '../domain/access-tokens.ts'
import { apiTokenPrefix, type LiveApiToken } from '../domain/api-tokens.ts'
import type { Deps } from '../domain/deps.ts'
import { type ServiceClient, verifyClientSecret } from '../domain/service-clients.ts'
import { isTokenSessionOf, type LiveSession } from '../domain/session-cache.ts'
import type { Actor } from '../kernel/actor.ts'
import { AuthError } from '../kernel/errors.ts'
import { parseToken, type SessionId, sameText, sha256 } from '../kernel/ids.ts'
import { isForeignScheme } from './auth-scheme.ts'
import { readClientCredentials } from './client-credentials.ts'
import type { Access } from './route.ts'

/** The authenticated user of a request, identified by a live session or an API token. */
export type Caller = LiveSession | LiveApiToken

/**
 * Returns the user of a request, or undefined if the request has none and the route allows anyone. Synchronous when the answer is in memory.
 * @throws not_authenticated, token_invalid, insufficient_scope
 */
export function authenticateRequest(
  deps: Deps,
  access: Access,
  authorization: string | undefined,
  sessionCookie: string | undefined,
): Caller | undefined | Promise<Caller | undefined> {
  if (!access.by.includes('session')) return undefined

  const credential = readCredential(authorization, sessionCookie)
  if (access.by.includes('anyone')) return credential && optional(() => findAuthorized(deps, access, credential))
  if (!credential) throw new AuthError('not_authenticated')
  return findAuthorized(deps, access, credential)
}

/**
 * Returns the service client of a request, or undefined if the request names none and the route does not require one.
 * @throws invalid_client, input_invalid, rate_limited
 */
export async function authenticateClient(
  deps: Deps,
  access: Access,
  actor: Actor,
  authorization: string | undefined,
  body: unknown,
): Promise<ServiceClient | undefined> {
  if (!access.by.includes('client')) return undefined

  const fields = (body ?? {}) as Readonly<Record<string, string>> // the route's schema has validated it
  const credentials = readClientCredentials(authorization, fields)
  if (credentials) return verifyClientSecret(deps, actor, credentials)
  if (!access.by.includes('anyone')) throw new AuthError('invalid_client')
  return undefined
}

/** Records a use of a session or an API token. The use is stored later, outside the request. */
export function noteUse(deps: Deps, me: Caller): void {
  if (me.kind === 'session') deps.sessionCache.touch(me)
  else deps.apiTokens.touch(me.token)
}

function findAuthorized(deps: Deps, access: Access, credential: Credential): Caller | Promise<Caller> {
  const found = findCaller(deps, credential)
  return found instanceof Promise ? found.then((me) => authorize(access, me)) : authorize(access, found)
}

/** Rejects credentials that the route does not accept. API tokens are meant for other services: here one only identifies its user, on routes that list it. */
function authorize({ by }: Access, me: Caller): Caller {
  if (!by.includes(me.kind)) throw new AuthError('insufficient_scope')
  return me
}

/** Treats a stale credential as no credential, for routes that do not require one. */
async function optional(find: () => Caller | Promise<Caller>): Promise<Caller | undefined> {
  try {
    return await find()
  } catch (error) {
    if (error instanceof AuthError && staleCodes.has(error.code)) return undefined
    throw error
  }
}

const staleCodes: ReadonlySet<string> = new Set(['token_invalid', 'insufficient_scope'])

/** A user's credential in a request. A bearer token takes precedence over a cookie. */
export type Credential =
  | { readonly kind: 'bearer'; readonly text: string }
  | { readonly kind: 'cookie'; readonly text: string }
  | { readonly kind: 'malformed' }

/**
 * Returns the credential of a request, or undefined if it carries none (RFC 6750, section 2.1). Other schemes are ignored: a header that a browser or program
 * sends for something else at the same address must not hide the cookie.
 */
export function readCredential(authorization: string | undefined, cookie: string | undefined): Credential | undefined {
  if (authorization !== undefined) {
    const token = /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i.exec(authorization)?.[1]
    if (token !== undefined) return { kind: 'bearer', text: token }
    if (!isForeignScheme(authorization, 'bearer')) return { kind: 'malformed' }
  }
  return cookie === undefined ? undefined : { kind: 'cookie', text: cookie }
}

/** Returns the live session of a cookie or access token, or the API token. Synchronous when it is in memory. @throws token_invalid */
function findCaller(deps: Deps, credential: Credential): Caller | Promise<Caller> {
  switch (credential.kind) {
    case 'cookie':
      return byCookie(deps, credential.text)
    case 'bearer':
      return credential.text.startsWith(apiTokenPrefix)
        ? byApiToken(deps, credential.text)
        : sessionOfAccessToken(deps, credential.text)
    case 'malformed':
      throw new AuthError('token_invalid')
  }
}

function byCookie(deps: Deps, text: string): LiveSession | Promise<LiveSession> {
  const parts = parseToken(text)
  if (!parts) throw new AuthError('token_invalid')

  const { secret } = parts
  const found = deps.sessionCache.find(parts.id as SessionId)
  return found instanceof Promise ? found.then((live) => assertSecret(live, secret)) : assertSecret(found, secret)
}

function assertSecret(live: LiveSession | undefined, secret: string): LiveSession {
  if (!live || live.secretHash === null || !sameText(live.secretHash, sha256(secret)))
    throw new AuthError('token_invalid')
  return live
}

async function byApiToken(deps: Deps, text: string): Promise<LiveApiToken> {
  const live = await deps.apiTokens.find(text)
  if (!live) throw new AuthError('token_invalid')
  return live
}

/** Returns the live session of an access token (RFC 9068). Synchronous when both are in memory. @throws token_invalid */
export function sessionOfAccessToken(deps: Deps, text: string): LiveSession | Promise<LiveSession> {
  const known = deps.accessTokens.recall(text)
  return known ? ofClaims(deps, known) : deps.accessTokens.verify(text).then((claims) => ofClaims(deps, claims))
}

function ofClaims(deps: Deps, claims: AccessTokenClaims): LiveSession | Promise<LiveSession> {
  const found = deps.sessionCache.find(claims.sid)
  return found instanceof Promise ? found.then((live) => assertSubject(live, claims)) : assertSubject(found, claims)
}

function assertSubject(live: LiveSession | undefined, claims: AccessTokenClaims): LiveSession {
  if (!isTokenSessionOf(live, claims.sub)) throw new AuthError('token_invalid')
  return live
}
