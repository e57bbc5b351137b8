import type { Problem } from './generated.ts'
import { isRecord } from './json.ts'

/** The code of an error. Codes of newer servers are passed through, so a `switch` over codes needs a default. */
export type ErrorCode = Problem['code'] | (string & Record<never, never>)

/** An invalid field of a request: its name as sent (`profile.website`), a stable code and a message that can be shown to the user. */
export interface Fault {
  readonly field: string
  readonly code: string
  readonly message: string
}

/** The properties of an error besides its code. */
export interface AuthErrorOptions {
  /** HTTP status. */
  readonly status?: number
  /** A message that can be shown to the user. */
  readonly detail?: string
  readonly faults?: readonly Fault[]
  /** s */
  readonly retryAfter?: number | undefined
  /** Identifies the request in the server's log (`urn:uuid:...`). */
  readonly instance?: string | undefined
  /** The underlying error, for logs. Never contains a token. */
  readonly cause?: unknown
}

/**
 * The only error class of this package: an error returned by the API (RFC 9457), or one found before anything was sent. `status` is the HTTP status;
 * `retryAfter` is the number of seconds after which a retry makes sense.
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

// Subclasses only set a code. Their names are spelled out, since bundlers shorten class names.

/** `token_invalid`: a token is missing, malformed, expired, revoked or of another kind. */
export class InvalidToken extends AuthError {
  override readonly name = 'InvalidToken'
  constructor(options: AuthErrorOptions = {}) {
    super('token_invalid', { status: 401, detail: 'Invalid or expired token', ...options })
  }
}

/** `not_authenticated`: a user is required and none is signed in. */
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

/** `service_unavailable`: the service could not be reached in time, or the response was not its own, for example the error page of a proxy. */
export class AuthServiceUnavailable extends AuthError {
  override readonly name = 'AuthServiceUnavailable'
  constructor(options: AuthErrorOptions = {}) {
    super('service_unavailable', { status: 503, detail: 'The service is unavailable; try again', ...options })
  }
}

/** Returns the error that a response describes, or AuthServiceUnavailable if it is not a problem of this API (RFC 9457). */
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

/** Parses seconds only, since this API never sends a date (RFC 9110, section 10.2.3). */
function readRetryAfter(header: string | null): number | undefined {
  return header !== null && /^\d{1,9}$/.test(header) ? Number(header) : undefined
}
