import { invalidField } from '../kernel/errors.ts'

const most = 20
const longest = 64

/**
 * Returns the scopes in the given order, without duplicates (RFC 6749, section 3.3: printable ASCII without quotation mark and backslash).
 * @throws input_invalid for an invalid scope token, or too many
 */
export function readScopes(field: string, words: readonly string[]): string[] {
  for (const word of words) {
    if (word.length > longest) throw invalidField(field, 'too_long', `Use at most ${longest} characters for a scope`)
    if (!/^[\x21\x23-\x5b\x5d-\x7e]+$/.test(word))
      throw invalidField(
        field,
        'characters',
        'A scope consists of printable ASCII characters other than quotation marks and backslashes',
      )
  }
  const scopes = [...new Set(words)]
  if (scopes.length > most) throw invalidField(field, 'too_many', `Use at most ${most} scopes`)
  return scopes
}

/** Splits a stored or received list of scopes. */
export function scopesOf(text: string): string[] {
  return text.split(' ').filter((word) => word !== '')
}
