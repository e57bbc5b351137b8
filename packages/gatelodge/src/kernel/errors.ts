/** Every error that a caller can receive: its code, its fixed title, and the default detail for when no more specific one is given. */
export const errorTable = {
  account_inactive: ['Account inactive', 'User account is inactive'],
  body_consumed: [
    'Body consumed',
    'Another part of this program has already read the request body: mount Gatelodge before body parsers',
  ],
  body_too_large: ['Body too large', 'The request body is larger than 64 KiB'],
  command_invalid: ['Command invalid', 'The command line is not valid'],
  config_invalid: ['Configuration invalid', 'The configuration is not valid'],
  cross_site: ['Cross-site request refused', 'This request must come from this site or an allowed origin'],
  database_busy: ['Database busy', 'The database did not respond in time; try again'],
  email_taken: ['Email taken', 'Email already registered'],
  email_unverified: [
    'Email not verified',
    'Confirm your email address first: follow the link in the mail that was sent to you',
  ],
  image_invalid: ['Image invalid', 'Send a valid PNG, JPEG, WebP or AVIF image'],
  image_too_large: ['Image too large', 'The image is larger than 5 MiB or 40 megapixels'],
  incorrect_password: ['Incorrect password', 'Incorrect current password'],
  input_invalid: ['Input invalid', 'One or more fields are invalid'],
  insufficient_scope: ['Insufficient scope', 'This token is not allowed to do that'],
  internal: ['Internal error', 'Something went wrong on our side'],
  invalid_client: ['Invalid client', 'The client is unknown or its secret is wrong'],
  invalid_credentials: ['Invalid credentials', 'Invalid email or password'],
  invalid_scope: ['Invalid scope', 'The client requested a scope that it is not allowed to have'],
  last_administrator: ['Last administrator', 'The last administrator cannot be removed'],
  media_type_unsupported: ['Media type unsupported', 'Send the body as application/json'],
  method_not_allowed: ['Method not allowed', 'This path does not support that method'],
  not_authenticated: ['Not authenticated', 'You are not signed in'],
  not_found: ['Not found', 'The requested resource does not exist'],
  overloaded: ['Overloaded', 'Too many passwords are being checked right now; try again in a moment'],
  password_change_required: ['Password change required', 'Replace the initial password before you sign in'],
  password_required: ['Password required', 'Enter the password that you chose at sign-up'],
  rate_limited: ['Rate limited', 'Too many attempts; wait and try again'],
  reauthentication_required: ['Re-authentication required', 'Re-authenticate before you make this change'],
  registration_closed: ['Registration closed', 'Only administrators can create accounts'],
  service_unavailable: ['Service unavailable', 'The service is unavailable; try again'],
  token_invalid: ['Token invalid', 'Invalid or expired token'],
  unsupported_grant_type: ['Unsupported grant type', 'Only the grant type client_credentials is supported'],
  user_not_found: ['User not found', 'User not found'],
  username_taken: ['Username taken', 'Username already taken'],
} as const satisfies Record<string, readonly [title: string, detail: string]>

export type ErrorCode = keyof typeof errorTable

/** What can be wrong with a field of a request. Pages have a message for each. */
export const faultCodes = [
  'characters',
  'conflict',
  'contains_identity',
  'duplicate',
  'email_invalid',
  'incomplete',
  'invalid',
  'invalid_encoding',
  'invalid_format',
  'invalid_json',
  'invalid_type',
  'invalid_value',
  'malformed',
  'mismatch',
  'required',
  'reused',
  'too_common',
  'too_long',
  'too_many',
  'too_short',
  'too_slow',
  'unchanged',
  'unknown',
] as const

export type FaultCode = (typeof faultCodes)[number]

/** An error in one input field. `message` never repeats the input. */
export interface FieldFault {
  readonly field: string
  readonly code: string
  readonly message: string
}

export interface AuthErrorOptions {
  /** Shown to the caller instead of the default detail. Never contains input of the caller. */
  readonly detail?: string
  readonly faults?: readonly FieldFault[]
  /** Seconds, a whole number, until a retry makes sense. */
  readonly retryAfter?: number
  /** For the log only. */
  readonly cause?: unknown
}

/** The only error that operations throw. `code` is stable, `detail` and `faults` are for the caller, `cause` is for the log. */
export class AuthError extends Error {
  readonly code: ErrorCode
  readonly detail: string
  readonly faults: readonly FieldFault[]
  readonly retryAfter: number | undefined

  constructor(code: ErrorCode, options: AuthErrorOptions = {}) {
    const detail = options.detail ?? errorTable[code][1]
    super(detail, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = new.target.name
    this.code = code
    this.detail = detail
    this.faults = options.faults ?? []
    this.retryAfter = options.retryAfter
  }
}

/** An error in one field of a request. */
export interface InputFault extends FieldFault {
  readonly code: FaultCode
}

/** Creates an `input_invalid` error for several fields. */
export function invalidInput(faults: readonly InputFault[]): AuthError {
  return new AuthError('input_invalid', { faults })
}

/** Creates an `input_invalid` error for one field. */
export function invalidField(field: string, code: FaultCode, message: string): AuthError {
  return invalidInput([{ field, code, message }])
}

/**
 * Runs all readers and returns their results. Collects the field errors of all readers that fail with `input_invalid` into one error.
 * @throws input_invalid; any other error of a reader immediately
 */
export function readAll<T extends readonly unknown[]>(...readers: { readonly [K in keyof T]: () => T[K] }): T {
  const faults: FieldFault[] = []
  const values = readers.map((read) => {
    try {
      return read()
    } catch (error) {
      if (!isAuthError(error, 'input_invalid')) throw error
      faults.push(...error.faults)
      return undefined
    }
  })
  if (faults.length > 0) throw new AuthError('input_invalid', { faults })
  return values as unknown as T // no reader threw
}

/** Returns whether a caught value is an AuthError, and has the given code if there is one. */
export function isAuthError(value: unknown, code?: ErrorCode): value is AuthError {
  return value instanceof AuthError && (code === undefined || value.code === code)
}

/** Returns the result of `work`, or undefined if it throws an AuthError with this code. Other errors are rethrown. */
export async function undefinedOn<T>(code: ErrorCode, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work()
  } catch (error) {
    if (isAuthError(error, code)) return undefined
    throw error
  }
}

function named(code: ErrorCode) {
  return class extends AuthError {
    constructor(options: AuthErrorOptions = {}) {
      super(code, options)
    }
  }
}

// Aliases under the names that other libraries use. Each only sets a code.
/** `token_invalid`: missing, malformed, expired, revoked or of another kind. */
export class InvalidToken extends named('token_invalid') {}
/** `token_invalid`: a token could not be validated or refreshed. */
export class TokenError extends named('token_invalid') {}
/** `user_not_found`: the token is valid, but its user does not exist. */
export class UserNotFound extends named('user_not_found') {}
/** `not_authenticated`: the operation requires a user and none is signed in. */
export class NotAuthenticated extends named('not_authenticated') {}
/** `not_authenticated`: the Authorization header is missing or not `Bearer <token>`. */
export class InvalidAuthorizationHeader extends named('not_authenticated') {}
/** `invalid_credentials`: identifier or password is wrong. */
export class InvalidCredentialsError extends named('invalid_credentials') {}
/** `input_invalid`: a required field is missing. */
export class MissingFieldError extends named('input_invalid') {}
/** `email_taken`: the account exists. */
export class UserAlreadyExistsError extends named('email_taken') {}
/** `token_invalid`: the session does not allow the operation. */
export class SessionValidationError extends named('token_invalid') {}
/** `not_authenticated`: there is no signed-in user to sign out. */
export class NoAuthUserError extends named('not_authenticated') {}
/** `service_unavailable`: the service could not be reached or returned an invalid response. */
export class AuthServiceUnavailable extends named('service_unavailable') {}
/** `password_change_required`: the password is right, but it is an initial one, which `replaceInitialPassword` must replace first. */
export class PasswordChangeRequiredError extends named('password_change_required') {
  /** For `replaceInitialPassword`, once. It is not a session. Not enumerable, so that a log of the error does not contain it. */
  declare readonly changeToken: string
  /** Seconds. */
  readonly expiresIn: number

  constructor(changeToken: string, expiresIn: number) {
    super()
    Object.defineProperty(this, 'changeToken', { value: changeToken })
    this.expiresIn = expiresIn
  }
}
