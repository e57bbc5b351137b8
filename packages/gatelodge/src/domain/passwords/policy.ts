import { type AuthError, invalidField } from '../../kernel/errors.ts'
import { isCommonPassword } from './blocklist.ts'

/** Words that a password must not be, because an attacker knows them about this user and this service. */
export interface PasswordContext {
  readonly email?: string
  readonly username?: string | null
  readonly firstName?: string
  readonly lastName?: string
  readonly serviceName: string
}

const leastLength = 6
const mostCodePoints = 1_024
const mostBytes = 4_096

/**
 * Rejects a password that the policy forbids and says why (NIST SP 800-63B-4, section 3.1.1.2). `minLength` counts code points and is never below 6.
 * @throws input_invalid (characters, too_short, too_long, too_common, contains_identity)
 */
export function assertPasswordAllowed(
  field: string,
  password: string,
  minLength: number,
  context: PasswordContext,
): void {
  // Hashing would truncate at a NUL and replace a lone surrogate: two passwords would become one.
  if (!password.isWellFormed() || /\p{Cc}/u.test(password)) {
    throw invalidField(
      field,
      'characters',
      'Control characters such as tabs are not allowed; letters, symbols and spaces are',
    )
  }
  if (password.length > mostBytes) throw tooLong(field) // before NFC, which takes quadratic time for combining marks

  const text = password.normalize('NFC')
  const length = [...text].length
  const least = Math.max(minLength, leastLength)
  if (length < least)
    throw invalidField(
      field,
      'too_short',
      `Use at least ${least} characters; a few unrelated words are easy to remember`,
    )
  if (length > mostCodePoints || Buffer.byteLength(text) > mostBytes) throw tooLong(field)
  if (isIdentity(text, context)) {
    throw invalidField(
      field,
      'contains_identity',
      'This password is a name or address that others know; use a few unrelated words instead',
    )
  }
  if (isCommonPassword(text)) {
    throw invalidField(
      field,
      'too_common',
      'This password is one of the first that attackers try; use a few unrelated words instead',
    )
  }
}

function tooLong(field: string): AuthError {
  return invalidField(field, 'too_long', `Use at most ${mostCodePoints} characters`)
}

function isIdentity(text: string, context: PasswordContext): boolean {
  const { email = '', firstName = '', lastName = '' } = context
  const [local = '', domain = ''] = email.split('@')
  const names = [firstName, lastName, `${firstName}${lastName}`, `${lastName}${firstName}`]
  const known = [
    ...names,
    context.username ?? '',
    email,
    local,
    domain,
    domain.split('.')[0] ?? '',
    context.serviceName,
  ]

  const given = bare(text)
  return known.map(bare).some((word) => word.length > 0 && (given === word || given === `${word}${word}`))
}

function bare(text: string): string {
  return text
    .normalize('NFC')
    .toLowerCase()
    .replace(/[\s._-]/g, '')
}
