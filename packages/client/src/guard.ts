import { AuthError, InvalidAuthorizationHeader, InvalidToken, NotAuthenticated } from './errors.ts'
import type { Auth, ResourceServer, SkipPolicy } from './server.ts'

/** What a guarded route requires. */
export interface GuardOptions {
  /** Selects requests that require no signed-in user; their `auth` is null. Compare whole paths: they are not decoded. */
  readonly skip?: SkipPolicy
  /** Scopes, separated by spaces, all of which the token must have. Without a scope, only signed-in users are accepted, since programs need one. */
  readonly scope?: string
  /** Accepts signed-in users without the scope, with their own permissions. For routes that are also used with API tokens. */
  readonly orUser?: true
  /** A role that the signed-in user must have. */
  readonly role?: string
}

/** The subset of a request that is used. */
export interface GuardedRequest {
  readonly method: string
  readonly path: string
  readonly authorization: string | null | undefined
}

/** The response to a rejected request: problem+json (RFC 9457). */
export interface Refusal {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** The caller, or the response to a rejected request. */
export type Verdict =
  | { readonly auth: Auth | null; readonly refusal?: undefined }
  | { readonly auth?: undefined; readonly refusal: Refusal }

/**
 * Authenticates a request for all adapters: 401 without a valid token, 403 without the scope or the role (RFC 6750, section 3), 503 if the issuer cannot be
 * reached.
 * @throws only what `skip` throws
 */
export async function authenticate(
  server: ResourceServer,
  { skip = () => false, scope = '', orUser, role }: GuardOptions,
  { method, path, authorization }: GuardedRequest,
): Promise<Verdict> {
  const scopes = scope.split(' ').filter((name) => name !== '')
  const token = findToken(server, authorization)
  try {
    const auth = await server.authenticateRequest(skip, { method, path, token })
    const isInScope = auth === null || (orUser && auth.kind === 'user') || hasScopes(auth, scopes)
    if (auth === null || (isInScope && hasRole(auth, role))) return { auth }
    return { refusal: insufficientScope(server, scopes) }
  } catch (error) {
    if (!(error instanceof AuthError)) throw error
    return { refusal: refuse(server, token === null && error instanceof InvalidToken ? new NotAuthenticated() : error) }
  }
}

/**
 * The callers found by guards, by request. A property of the request is not trusted: express-jwt and others write one with this name, and Fastify decorates
 * requests with null.
 */
const left = new WeakMap<object, Auth | null>()

/** Records the caller of a request for `authOf`, and as `request.auth` for code that only reads it. */
export function leaveAuth(request: object, auth: Auth | null): void {
  left.set(request, auth)
  Object.assign(request, { auth })
}

/** Returns the caller that the guard recorded. @throws TypeError if there was no guard: a missing guard must not look like a request without a user */
export function authOf(request: object): Auth | null {
  const auth = left.get(request)
  if (auth === undefined) throw new TypeError('this route has no guard')
  return auth
}

function findToken(server: ResourceServer, authorization: string | null | undefined): string | null {
  try {
    return server.getToken(authorization)
  } catch (error) {
    if (!(error instanceof InvalidAuthorizationHeader)) throw error
    return null
  }
}

/** Service clients and API tokens may only do what scopes allow: a route without a scope rejects them. */
function hasScopes({ kind, scope }: Auth, wanted: readonly string[]): boolean {
  if (kind !== 'user' && wanted.length === 0) return false
  const given = scope.split(' ')
  return wanted.every((name) => given.includes(name))
}

function hasRole(auth: Auth, role: string | undefined): boolean {
  return role === undefined || (auth.kind === 'user' && auth.roles.includes(role))
}

/** The challenge names no error if no token was sent (RFC 6750, section 3.1). */
function refuse({ issuer }: ResourceServer, { code, status, detail, retryAfter = 5 }: AuthError): Refusal {
  const challenge = `Bearer realm="${issuer}"`
  if (code === 'not_authenticated') return print('Not authenticated', { code, status, detail }, challenge)
  if (code === 'token_invalid')
    return print('Token invalid', { code, status, detail }, `${challenge}, error="invalid_token"`)

  const { headers, ...refusal } = print('Service unavailable', { code, status: 503, detail })
  return { ...refusal, headers: { ...headers, 'retry-after': String(retryAfter) } }
}

function insufficientScope({ issuer }: ResourceServer, scopes: readonly string[]): Refusal {
  const named = scopes.length > 0 ? `, scope="${scopes.join(' ')}"` : ''
  const problem = { code: 'insufficient_scope', status: 403, detail: 'This token is not allowed to do that' }
  return print('Insufficient scope', problem, `Bearer realm="${issuer}", error="insufficient_scope"${named}`)
}

interface Printed {
  readonly code: string
  readonly status: number
  readonly detail: string
}

function print(title: string, { code, status, detail }: Printed, challenge?: string): Refusal {
  return {
    status,
    headers: {
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      ...(challenge !== undefined && { 'www-authenticate': challenge }),
    },
    body: JSON.stringify({ type: `urn:gatelodge:problem:${code}`, title, status, code, detail }),
  }
}
