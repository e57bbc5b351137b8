import type { Instant } from './clock.ts'
import type { SessionId, UserId } from './ids.ts'

/** An authenticated caller. Only a session has an authentication time and an assurance level. */
export type Principal = SessionPrincipal | ApiTokenPrincipal | ClientPrincipal

/** A signed-in user. */
export interface SessionPrincipal {
  readonly kind: 'session'
  readonly userId: UserId
  readonly sessionId: SessionId
  readonly via: 'cookie' | 'access_token'
  readonly authenticatedAt: Instant
  readonly assurance: Assurance
}

/** A program with a personal API token. It identifies its user and has the scopes that the user granted it, for other services. */
export interface ApiTokenPrincipal {
  readonly kind: 'api_token'
  readonly userId: UserId
  readonly tokenId: string
  readonly scopes: readonly string[]
}

/** A service client registered by the operator. */
export interface ClientPrincipal {
  readonly kind: 'client'
  readonly clientId: string
  readonly scopes: readonly string[]
}

/** Authenticator assurance levels (NIST SP 800-63B-4). */
export type Assurance = 'aal1' | 'aal2'
