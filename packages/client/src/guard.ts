import { AuthError, InvalidAuthorizationHeader, InvalidToken, NotAuthenticated } from './errors.ts'
import type { Auth, ResourceServer, SkipPolicy } from './server.ts'

/** What a guarded route asks for. */
export interface GuardOptions {
  /** Names the requests that need nobody to be signed in; their `auth` is null. Compare whole paths: they come undecoded. */
  readonly skip?: SkipPolicy
  /** Scopes that the token must have, all of them, with blanks between. Without, only people who are signed in pass: programs need a scope. */
  readonly scope?: string
  /** People who are signed in pass without the scope: they may do here what they may. For routes that their API tokens use as well. */
  readonly orUser?: true
  /** A role that the person who is signed in must have. */
  readonly role?: string
}

/** The part of a request that is looked at. */
export interface GuardedRequest {
  readonly method: string
  readonly path: string
  readonly authorization: string | null | undefined
}

/** The answer to a request that may not pass: problem+json (RFC 9457). */
export interface Refusal {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** Who sent a request, or what to answer it. */
export type Verdict =
  | { readonly auth: Auth | null; readonly refusal?: undefined }
  | { readonly auth?: undefined; readonly refusal: Refusal }

/**
 * What all adapters do: 401 without a good token, 403 without the scope or the role (RFC 6750, section 3), 503 when nobody could tell. Raises only what
 * `skip` raises.
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

/** What guards left, by request. A property of these is not believed: express-jwt and others write one of that name, and Fastify decorates with null. */
const left = new WeakMap<object, Auth | null>()

/** Leaves at a request who sent it, for `authOf`, and as `request.auth` for whoever only wants to read it. */
export function leaveAuth(request: object, auth: Auth | null): void {
  left.set(request, auth)
  Object.assign(request, { auth })
}

/** What the guard left at a request. @throws TypeError when none stood before: a forgotten guard must not pass for a request that nobody sent */
export function authOf(request: object): Auth | null {
  const auth = left.get(request)
  if (auth === undefined) throw new TypeError('no guard stands before this route')
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

/** Service clients and API tokens may do what scopes say: where a route names none, it is not for them. */
function hasScopes({ kind, scope }: Auth, wanted: readonly string[]): boolean {
  if (kind !== 'user' && wanted.length === 0) return false
  const given = scope.split(' ')
  return wanted.every((name) => given.includes(name))
}

function hasRole(auth: Auth, role: string | undefined): boolean {
  return role === undefined || (auth.kind === 'user' && auth.roles.includes(role))
}

/** No error is named where no token was sent (RFC 6750, section 3.1). */
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
  const problem = { code: 'insufficient_scope', status: 403, detail: 'The token does not allow this' }
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
