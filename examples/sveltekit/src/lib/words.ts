import type { AuthError, Fault } from '@gatelodge/client'

/** The name of the app. */
export const appName = 'Example'

/** Messages by error code. For a code that is missing here, the message of Gatelodge is shown. */
const errors: Readonly<Record<string, string>> = {
  account_inactive: 'This account is switched off. Ask us if you do not know why.',
  cross_site: 'The browser says that this did not come from our own page, so nothing was changed.',
  email_unverified: 'Your email address is not confirmed yet. Open the link that we sent you.',
  input_invalid: 'Please check what is marked below.',
  internal: 'Something went wrong on our side. Please try again.',
  invalid_credentials: 'The address or the password is wrong.',
  not_authenticated: 'You are not signed in any more.',
  overloaded: 'Too many people are signing in right now.',
  registration_closed: 'Sign-up is closed at the moment.',
  service_unavailable: 'We cannot be reached right now. Nothing is lost.',
  token_invalid: 'You are not signed in any more.',
  rate_limited: 'Too many attempts.',
}

/** Messages for a field by fault code; missing codes as above. */
const faults: Readonly<Record<string, string>> = {
  body_too_large: 'This picture is larger than 5 MB or 40 megapixels',
  characters: 'Use visible characters only',
  contains_identity: 'The password must not be your name or your address',
  email_invalid: 'Enter a valid email address',
  email_taken: 'An account has this address already',
  image_invalid: 'This is no picture that can be read: choose a PNG, JPEG, WebP or AVIF file',
  image_too_large: 'This picture is larger than 5 MB or 40 megapixels',
  incorrect_password: 'This password is wrong',
  invalid: 'Check this entry',
  mismatch: 'The two passwords differ',
  password_required: 'Enter the password that you chose when you signed up',
  required: 'Fill in this field',
  too_common: 'This password is among the most common ones; choose another',
  too_long: 'This is too long',
  unchanged: 'This is already your email address',
  user_not_found: 'Nothing waits for confirmation at this address',
  username_taken: 'This username is taken',
}

/** Errors that concern one field, with the names that it has in our forms. */
const fieldsOf: Readonly<Record<string, readonly string[]>> = {
  body_too_large: ['avatar'],
  email_taken: ['email'],
  image_invalid: ['avatar'],
  image_too_large: ['avatar'],
  incorrect_password: ['old_password', 'password'],
  password_required: ['password'],
  user_not_found: ['email'],
  username_taken: ['username'],
}

/** Returns the message for an error, with the time to wait if there is one. */
export function sayError({ code, detail, retryAfter }: AuthError): string {
  const sentence = errors[code] ?? `${detail}.`
  return retryAfter === undefined ? sentence : `${sentence} Try again in ${sayWait(retryAfter)}.`
}

/** Returns the message for an invalid field. */
export function sayFault({ code, message }: Pick<Fault, 'code' | 'message'>): string {
  return faults[code] ?? message
}

/** Returns the invalid fields of an error that exist in a form. */
export function faultsOf(error: AuthError, has: (field: string) => boolean): readonly Fault[] {
  const field = fieldsOf[error.code]?.find(has)
  if (field !== undefined) return [{ field, code: error.code, message: error.detail }]
  return error.faults.filter((fault) => has(fault.field))
}

function sayWait(seconds: number): string {
  if (seconds < 90) return seconds === 1 ? 'one second' : `${seconds} seconds`
  const minutes = Math.ceil(seconds / 60)
  return minutes < 90 ? `${minutes} minutes` : `${Math.ceil(minutes / 60)} hours`
}
