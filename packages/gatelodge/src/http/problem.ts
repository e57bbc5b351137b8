import { type AuthError, type ErrorCode, errorTable } from '../kernel/errors.ts'

/** The HTTP status of every failure. The only place that maps codes to statuses. */
export const statusOf = {
  account_inactive: 403,
  body_consumed: 500,
  body_too_large: 413,
  command_invalid: 400,
  config_invalid: 500,
  cross_site: 403,
  database_busy: 503,
  email_taken: 400,
  email_unverified: 403,
  image_invalid: 400,
  image_too_large: 413,
  incorrect_password: 400,
  input_invalid: 400,
  insufficient_scope: 403,
  internal: 500,
  invalid_client: 401,
  invalid_credentials: 401,
  invalid_scope: 400,
  last_administrator: 409,
  media_type_unsupported: 415,
  method_not_allowed: 405,
  not_authenticated: 401,
  not_found: 404,
  overloaded: 503,
  password_change_required: 403,
  password_required: 400,
  rate_limited: 429,
  reauthentication_required: 403,
  registration_closed: 403,
  service_unavailable: 503,
  token_invalid: 401,
  unsupported_grant_type: 400,
  user_not_found: 404,
  username_taken: 400,
} as const satisfies Record<ErrorCode, number>

/** The body of a failure (RFC 9457). */
export interface Problem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly code: ErrorCode
  readonly detail: string
  readonly instance: string
  readonly errors?: readonly { field: string; code: string; message: string }[]
}

/** Converts a failure to RFC 9457 form. `status` overrides the table for a route that declares its own. */
export function toProblem(error: AuthError, requestId: string, status: number = statusOf[error.code]): Problem {
  return {
    type: `urn:gatelodge:problem:${error.code}`,
    title: errorTable[error.code][0],
    status,
    code: error.code,
    detail: error.detail,
    instance: `urn:uuid:${requestId}`,
    ...(error.faults.length > 0 && { errors: error.faults }),
  }
}
