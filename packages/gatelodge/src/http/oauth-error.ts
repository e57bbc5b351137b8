import type { AuthError, ErrorCode } from '../kernel/errors.ts'

/** A failure of an OAuth endpoint (RFC 6749, section 5.2). */
export interface OAuthFailure {
  readonly error: string
  readonly error_description: string
}

const names: Partial<Readonly<Record<ErrorCode, string>>> = {
  database_busy: 'temporarily_unavailable',
  internal: 'server_error',
  invalid_client: 'invalid_client',
  invalid_scope: 'invalid_scope',
  rate_limited: 'temporarily_unavailable',
  service_unavailable: 'temporarily_unavailable',
  unsupported_grant_type: 'unsupported_grant_type',
}

/** Converts an error. A fault of the request itself is `invalid_request`, with status 400 unless HTTP has a more specific one. */
export function toOAuthFailure(error: AuthError): OAuthFailure {
  const faults = error.faults.map(({ field, message }) => `${field}: ${message}`)
  return {
    error: names[error.code] ?? 'invalid_request',
    error_description: printable(faults.length > 0 ? faults.join('. ') : error.detail),
  }
}

/** Replaces what `error_description` must not contain: quotation marks, backslashes and non-ASCII characters. */
function printable(text: string): string {
  return text.replaceAll('’', "'").replaceAll(/[^\x20-\x21\x23-\x5b\x5d-\x7e]/g, ' ')
}
