import { type Client, type ClientOptions, createClientOn } from './client.ts'
import { currentPlatform } from './platform.ts'

export type { Fetch } from './ask.ts'
export type { Client, ClientOptions } from './client.ts'
export {
  AuthError,
  type AuthErrorOptions,
  AuthServiceUnavailable,
  type ErrorCode,
  type Fault,
  InvalidAuthorizationHeader,
  InvalidToken,
  NotAuthenticated,
} from './errors.ts'
export type * from './generated.ts'
export type { TokenStorage } from './platform.ts'
export type { SessionEvent, SessionEvents } from './presence.ts'
export type { Answer, Body, Given, Input, Route } from './routes.ts'

/**
 * Creates a client for browsers, workers and servers, with typed calls of the API and a `fetch` for your own APIs. With `session: 'token'`, tokens are
 * refreshed before they expire, once for all calls and tabs (RFC 9700, section 4.14.2).
 * @throws TypeError for an entry of `origins` that is not a URL
 */
export function createClient(options: ClientOptions = {}): Client {
  return createClientOn(currentPlatform(), options)
}
