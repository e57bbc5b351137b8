import {
  AuthError,
  type AuthErrorOptions,
  AuthServiceUnavailable,
  type ErrorCode,
  InvalidCredentialsError,
  InvalidToken,
  isAuthError,
  MissingFieldError,
  NotAuthenticated,
  UserAlreadyExistsError,
  UserNotFound,
} from '../kernel/errors.ts'

/** The subclass of AuthError that an operation throws for an error code. */
export type ErrorNames = Readonly<Partial<Record<ErrorCode, new (options: AuthErrorOptions) => AuthError>>>

const usualNames: ErrorNames = {
  email_taken: UserAlreadyExistsError,
  invalid_credentials: InvalidCredentialsError,
  not_authenticated: NotAuthenticated,
  service_unavailable: AuthServiceUnavailable,
  token_invalid: InvalidToken,
  user_not_found: UserNotFound,
}

/** Runs an operation of the library and turns every failure into an AuthError, of the subclass for its code. Unexpected errors become `internal`. */
export async function raising<T>(names: ErrorNames, operation: () => T | Promise<T>): Promise<T> {
  try {
    return await operation()
  } catch (error) {
    throw named(names, error)
  }
}

function named(names: ErrorNames, error: unknown): AuthError {
  if (!isAuthError(error)) return new AuthError('internal', { cause: error })
  const usual = error.constructor === AuthError ? usualNames[error.code] : undefined // an error of a subclass keeps its class
  const Named = isMissingField(error) ? MissingFieldError : (names[error.code] ?? usual)
  if (!Named || error.constructor === Named) return error
  return new Named({
    detail: error.detail,
    faults: error.faults,
    cause: error,
    ...(error.retryAfter !== undefined && { retryAfter: error.retryAfter }),
  })
}

function isMissingField(error: AuthError): boolean {
  return error.code === 'input_invalid' && error.faults.some(({ code }) => code === 'required')
}
