import type { SessionId, UserId } from './ids.ts'
import type { Language } from './languages.ts'
import type { Principal } from './principal.ts'

/** The origin of an operation, for access checks, the audit log, rate limits and mails. */
export interface Actor {
  readonly kind: 'request' | 'command' | 'job' | 'library'
  /** The client's address as `clientIp()` returns it; null if the operation did not come over the network. */
  readonly ip: string | null
  readonly userAgent: string | null
  readonly requestId: string
  /** The authenticated caller; null for a visitor, a command or a job. */
  readonly principal: Principal | null
  /** The value of the device cookie, unverified. */
  readonly deviceCookie: string | null
  /** The value of the sign-up cookie, unverified. */
  readonly signUpCookie: string | null
  /** The language that the user reads, or null if unknown. */
  readonly language: Language | null
}

/** Returns the ID of the user that the actor acts as, or null. */
export function userIdOf({ principal }: Actor): UserId | null {
  return principal === null || principal.kind === 'client' ? null : principal.userId
}

/** Returns the session ID of the actor, or null. An API token has no session. */
export function sessionIdOf({ principal }: Actor): SessionId | null {
  return principal?.kind === 'session' ? principal.sessionId : null
}

/** Returns whether the caller is unknown: a request without a user, or a library call on behalf of a client without one. */
export function isStranger(actor: Actor): boolean {
  const { kind, ip } = actor
  return userIdOf(actor) === null && (kind === 'request' || (kind === 'library' && ip !== null))
}

/** Creates an actor without a user and a network address: a command, a job or the program that calls the library. */
export function systemActor(kind: Exclude<Actor['kind'], 'request'>, requestId: string): Actor {
  return {
    kind,
    ip: null,
    userAgent: null,
    requestId,
    principal: null,
    deviceCookie: null,
    signUpCookie: null,
    language: null,
  }
}
