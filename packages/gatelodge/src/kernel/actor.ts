import type { SessionId, UserId } from './ids.ts'
import type { Language } from './languages.ts'

/** Who asks, as far as the audit log, the limits and the mails need to know. */
export interface Actor {
  readonly kind: 'request' | 'command' | 'job' | 'library'
  /** The client's address as `clientIp()` found it, or null off the network. */
  readonly ip: string | null
  readonly userAgent: string | null
  readonly requestId: string
  readonly userId: UserId | null
  readonly sessionId: SessionId | null
  /** The value of the device cookie, unverified. */
  readonly deviceCookie: string | null
  /** The value of the sign-up cookie, unverified. */
  readonly signUpCookie: string | null
  /** What the person at the other end reads, or null when that is unknown. */
  readonly language: Language | null
}

/** Whether nobody knows who asks: a request without a session, or a call of the library for a client without one. */
export function isStranger({ kind, userId, ip }: Actor): boolean {
  return userId === null && (kind === 'request' || (kind === 'library' && ip !== null))
}

/** An actor that is no person on the network: a command, a job or the library's caller. */
export function innerActor(kind: Exclude<Actor['kind'], 'request'>, requestId: string): Actor {
  return {
    kind,
    ip: null,
    userAgent: null,
    requestId,
    userId: null,
    sessionId: null,
    deviceCookie: null,
    signUpCookie: null,
    language: null,
  }
}
