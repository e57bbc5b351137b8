import type { Deps } from '../domain/deps.ts'
import { authenticateClient, type ServiceClient } from '../domain/service-clients.ts'
import type { LiveSession } from '../domain/session-cache.ts'
import type { Actor } from '../kernel/actor.ts'
import { AuthError } from '../kernel/errors.ts'
import { readClientCredentials } from './client-credentials.ts'
import { authenticate, type Credential, readCredential } from './credentials.ts'
import { isForClients, type Route } from './route.ts'

/** Who asks a route of level `session` or `optional`; at once when memory has the answer. @throws not_authenticated, token_invalid, insufficient_scope */
export function whoAsks(
  deps: Deps,
  route: Route,
  authorization: string | undefined,
  sessionCookie: string | undefined,
): LiveSession | undefined | Promise<LiveSession | undefined> {
  if (route.auth !== 'session' && route.auth !== 'optional') return undefined

  const credential = readCredential(authorization, sessionCookie)
  if (route.auth === 'optional') return credential && orNobody(() => whoHolds(deps, route, credential))
  if (!credential) throw new AuthError('not_authenticated')
  return whoHolds(deps, route, credential)
}

/** The service client that asks a route of level `client` or `optional_client`. @throws invalid_client, input_invalid, rate_limited */
export async function whichClient(
  deps: Deps,
  route: Route,
  actor: Actor,
  authorization: string | undefined,
  body: unknown,
): Promise<ServiceClient | undefined> {
  if (!isForClients(route)) return undefined

  const fields = (body ?? {}) as Readonly<Record<string, string>> // what the route's schema made
  const credentials = readClientCredentials(authorization, fields)
  if (credentials) return authenticateClient(deps, actor, credentials)
  if (route.auth === 'client') throw new AuthError('invalid_client')
  return undefined
}

/** Notes a use of a session or an API token, to be stored off the request's path. */
export function noteUse(deps: Deps, me: LiveSession): void {
  if (me.kind === 'api_token') deps.apiTokens.touch(me)
  else deps.sessionCache.touch(me)
}

function whoHolds(deps: Deps, route: Route, credential: Credential): LiveSession | Promise<LiveSession> {
  const found = authenticate(deps, credential)
  return found instanceof Promise ? found.then((live) => admitted(route, live)) : admitted(route, found)
}

/** An API token is for other services: here it says who somebody is, where the route allows that, and nothing else. */
function admitted(route: Route, live: LiveSession): LiveSession {
  if (live.kind === 'api_token' && !route.apiTokens) throw new AuthError('insufficient_scope')
  return live
}

/** A stale credential does not stop a route that needs none. */
async function orNobody(find: () => LiveSession | Promise<LiveSession>): Promise<LiveSession | undefined> {
  try {
    return await find()
  } catch (error) {
    if (error instanceof AuthError && notHere.has(error.code)) return undefined
    throw error
  }
}

const notHere: ReadonlySet<string> = new Set(['token_invalid', 'insufficient_scope'])
