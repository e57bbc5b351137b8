import type { Instant } from './clock.ts'
import type { SessionId, UserId } from './ids.ts'

/** An authenticated caller, with what was proved and nothing else: only a session has an age and an assurance. */
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

/** A program with a personal API token. It identifies its user and holds the scopes that its user gave it, for other services. */
export interface ApiTokenPrincipal {
  readonly kind: 'api_token'
  readonly userId: UserId
  readonly tokenId: string
  readonly scopes: readonly string[]
}

/** A service client of the operator. */
export interface ClientPrincipal {
  readonly kind: 'client'
  readonly clientId: string
  readonly scopes: readonly string[]
}

/** Authenticator assurance levels of NIST SP 800-63B-4. */
export type Assurance = 'aal1' | 'aal2'
