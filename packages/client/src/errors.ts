import type { Problem } from './generated.ts'
import { isRecord } from './json.ts'

/** The code of a failure. Codes of a newer server come through as they are, so a `switch` over codes needs a default. */
export type ErrorCode = Problem['code'] | (string & Record<never, never>)

/** One faulty field of a request: its name as sent (`profile.website`), a stable code and a sentence that may be shown. */
export interface Fault {
  readonly field: string
  readonly code: string
  readonly message: string
}

/** What an error says beside its code. */
export interface AuthErrorOptions {
  /** HTTP status. */
  readonly status?: number
  /** A sentence that may be shown. */
  readonly detail?: string
  readonly faults?: readonly Fault[]
  /** s */
  readonly retryAfter?: number | undefined
  /** Names the request in the server's log (`urn:uuid:...`). */
  readonly instance?: string | undefined
  /** What lies behind, for logs; never holds a token. */
  readonly cause?: unknown
}

/**
 * The one error of this package: a failure as the API answered it (RFC 9457), or one that was found before anything was sent.
 * `status` is the HTTP status, `retryAfter` the seconds after which a new try makes sense.
 */
export class AuthError extends Error {
  override readonly name: string = 'AuthError'
  readonly code: ErrorCode
  readonly status: number
  readonly detail: string
  readonly faults: readonly Fault[]
  readonly retryAfter: number | undefined
  readonly instance: string | undefined

  constructor(code: ErrorCode, options: AuthErrorOptions = {}) {
    super(options.detail ?? code, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.status = options.status ?? 500
    this.detail = this.message
    this.faults = options.faults ?? []
    this.retryAfter = options.retryAfter
    this.instance = options.instance
  }
}

// Subclasses only fix a code. Their names are written out, since a bundler shortens those of classes.

/** `token_invalid`: a token is missing, malformed, expired, revoked or of another kind. */
export class InvalidToken extends AuthError {
  override readonly name = 'InvalidToken'
  constructor(options: AuthErrorOptions = {}) {
    super('token_invalid', { status: 401, detail: 'Invalid or expired token', ...options })
  }
}

/** `not_authenticated`: a user is needed and nobody is signed in. */
export class NotAuthenticated extends AuthError {
  override readonly name: string = 'NotAuthenticated'
  constructor(options: AuthErrorOptions = {}) {
    super('not_authenticated', { status: 401, detail: 'You are not signed in', ...options })
  }
}

/** `not_authenticated`: the Authorization header is missing or not `Bearer <token>`. */
export class InvalidAuthorizationHeader extends NotAuthenticated {
  override readonly name = 'InvalidAuthorizationHeader'
}

/** `service_unavailable`: the service was not reached in time, or what answered was not it, such as the page of a proxy. */
export class AuthServiceUnavailable extends AuthError {
  override readonly name = 'AuthServiceUnavailable'
  constructor(options: AuthErrorOptions = {}) {
    super('service_unavailable', { status: 503, detail: 'The service cannot be reached; try again', ...options })
  }
}

/** The error that an answer tells of; AuthServiceUnavailable where it is no problem of this API (RFC 9457). */
export function toError({ status, headers }: Response, body: unknown): AuthError {
  const retryAfter = readRetryAfter(headers.get('retry-after'))
  if (!isRecord(body) || typeof body.code !== 'string' || typeof body.detail !== 'string')
    return new AuthServiceUnavailable({ retryAfter, cause: `HTTP ${status} without a problem of this API` })

  const { code, detail, instance, errors } = body
  const options = {
    status,
    detail,
    retryAfter,
    instance: typeof instance === 'string' ? instance : undefined,
    faults: Array.isArray(errors) ? errors.filter(isFault) : [],
  }
  if (code === 'token_invalid') return new InvalidToken(options)
  if (code === 'not_authenticated') return new NotAuthenticated(options)
  if (code === 'service_unavailable') return new AuthServiceUnavailable(options)
  return new AuthError(code, options)
}

function isFault(value: unknown): value is Fault {
  return isRecord(value) && [value.field, value.code, value.message].every((part) => typeof part === 'string')
}

/** Only seconds: this API never answers a date (RFC 9110, section 10.2.3). */
function readRetryAfter(header: string | null): number | undefined {
  return header !== null && /^\d{1,9}$/.test(header) ? Number(header) : undefined
}
