import type { IncomingHttpHeaders } from 'node:http'
import type { ApiToken } from '../domain/api-tokens.ts'
import type { Session } from '../domain/sessions.ts'
import type { User } from '../domain/users.ts'
import { authenticateRequest, type Caller, noteUse, readCredential } from '../http/authenticate.ts'
import type { Access } from '../http/route.ts'
import { assertSameOrigin } from '../http/same-origin.ts'
import { InvalidToken, isAuthError } from '../kernel/errors.ts'
import type { Auth } from './auth.ts'
import { type Engine, engineOf } from './engine.ts'
import { syncById } from './external-users.ts'
import { raising } from './naming.ts'

/** A request as a framework represents it, or only its headers: `Request`, `IncomingMessage`, `Headers`, or an object of headers. */
export type SessionSource = HeaderSource | { readonly method?: string | undefined; readonly headers: HeaderSource }

type HeaderSource = { get(name: string): string | null | undefined } | IncomingHttpHeaders

/** Who sent a request. `session` has the `kind` of the credential: a personal API token has an ID, a name, scopes and an expiry, but is not a session. */
export interface CallerSession {
  readonly user: User
  readonly session: ({ readonly kind: 'session' } & Session) | ({ readonly kind: 'api_token' } & ApiToken)
}

const access: Access = { by: ['session', 'api_token'] }
const safeMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])
const invalid = ['token_invalid', 'cross_site'] as const

/**
 * Returns the user and the session of a request, identified by the session cookie, an access token (RFC 9068) or an API token (RFC 6750), or null if the
 * request has no credential or an invalid one. Counts as a use of the session. No network request; the session is in memory in most cases.
 *
 * A cookie counts only if the request comes from the public URL or an allowed origin, or cannot change anything: pass the whole request rather than its
 * headers, so that its method is known. With a user repository, each call asks the repository, so a deactivation takes effect immediately.
 * @param options `throwOnInvalid` throws for an invalid credential instead of returning null, so that a client learns that its token has expired
 * @throws AuthServiceUnavailable; with `throwOnInvalid` also InvalidToken, and `cross_site` for a cookie that another site made the browser send
 * @example
 * const found = await auth.api.getSession(request)
 * if (!found) return new Response('Sign in first\n', { status: 401 })
 * return new Response(`Hello ${found.user.email}\n`)
 */
export function getSession(
  auth: Auth,
  source: SessionSource,
  { throwOnInvalid = false }: { readonly throwOnInvalid?: boolean } = {},
): Promise<CallerSession | null> {
  return raising({}, async () => {
    try {
      const me = await findCaller(engineOf(auth), source)
      return me && toCallerSession(me)
    } catch (error) {
      if (!throwOnInvalid && invalid.some((code) => isAuthError(error, code))) return null
      throw error
    }
  })
}

async function findCaller(engine: Engine, source: SessionSource): Promise<Caller | null> {
  const { deps, sessionCookie, ownOrigins } = engine
  const { method, header } = readSource(source)
  const [authorization, cookie] = [header('authorization'), sessionCookie.read(header('cookie'))]
  const credential = readCredential(authorization, cookie)
  if (!credential) return null

  if (credential.kind === 'cookie' && !safeMethods.has(method)) {
    const facts = { fetchSite: header('sec-fetch-site'), origin: header('origin'), hasSessionCookie: true }
    assertSameOrigin('cookie', facts, ownOrigins)
  }
  const find = async () => authenticateRequest(deps, access, authorization, cookie)
  const found = await find()
  const me = found && deps.accounts.isExternal ? await findAgain(engine, found, find) : found
  if (!me) return null
  noteUse(deps, me)
  return me
}

/** Lets the repository decide, which ends the sessions of a deactivated account, and looks again. @throws InvalidToken if the account is gone */
async function findAgain(engine: Engine, found: Caller, find: () => Promise<Caller | undefined>) {
  if (!(await syncById(engine, found.user.id))) throw new InvalidToken()
  return find()
}

/** Returns the method of a request, GET for bare headers, and its headers by lower-case name. */
function readSource(source: SessionSource): { method: string; header: (name: string) => string | undefined } {
  const isRequest = 'headers' in source && typeof source.headers === 'object'
  const headers = (isRequest ? source.headers : source) as HeaderSource
  const method = isRequest && 'method' in source ? String(source.method ?? 'GET') : 'GET'
  if (typeof headers.get === 'function') {
    const get = headers.get.bind(headers)
    return { method, header: (name) => get(name) ?? undefined }
  }
  return { method, header: (name) => plainHeader(headers as IncomingHttpHeaders, name) }
}

/** Objects of headers that Node.js made have lower-case names; those of other programs may not. */
function plainHeader(headers: IncomingHttpHeaders, name: string): string | undefined {
  const key = Object.hasOwn(headers, name) ? name : Object.keys(headers).find((each) => each.toLowerCase() === name)
  const value = key === undefined ? undefined : headers[key]
  return Array.isArray(value) ? value.join(name === 'cookie' ? '; ' : ', ') : value
}

function toCallerSession(me: Caller): CallerSession {
  if (me.kind === 'api_token') return { user: me.user, session: { kind: 'api_token', ...me.token } }
  return { user: me.user, session: { kind: 'session', ...me.session } }
}
