import type { SessionId, UserId } from './ids.ts'
import type { Language } from './languages.ts'
import type { Principal } from './principal.ts'

/** The origin of an operation, for guards, the audit log, limits and mails. */
export interface Actor {
  readonly kind: 'request' | 'command' | 'job' | 'library'
  /** The client's address as `clientIp()` found it, or null off the network. */
  readonly ip: string | null
  readonly userAgent: string | null
  readonly requestId: string
  /** The authenticated caller, or null for a visitor, a command or a job. */
  readonly principal: Principal | null
  /** The value of the device cookie, unverified. */
  readonly deviceCookie: string | null
  /** The value of the sign-up cookie, unverified. */
  readonly signUpCookie: string | null
  /** What the person at the other end reads, or null when that is unknown. */
  readonly language: Language | null
}

/** Returns the user that the actor acts as, or null. */
export function userIdOf({ principal }: Actor): UserId | null {
  return principal === null || principal.kind === 'client' ? null : principal.userId
}

/** Returns the session of the actor, or null: an API token has none. */
export function sessionIdOf({ principal }: Actor): SessionId | null {
  return principal?.kind === 'session' ? principal.sessionId : null
}

/** Whether nobody knows who asks: a request without a user, or a call of the library for a client without one. */
export function isStranger(actor: Actor): boolean {
  const { kind, ip } = actor
  return userIdOf(actor) === null && (kind === 'request' || (kind === 'library' && ip !== null))
}

/** An actor that is no person on the network: a command, a job or the library's caller. */
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
