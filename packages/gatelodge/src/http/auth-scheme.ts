/**
 * Whether an Authorization header is of another scheme than `own` (RFC 9110, section 11.4), whatever that is made of. One without a scheme, such as an empty one
 * or a token alone, is not.
 */
export function isForeignScheme(authorization: string, own: 'bearer' | 'basic'): boolean {
  const [, scheme, lone] = /^(?:([^ \t]+)[ \t]|([a-z][a-z\d-]*)$)/i.exec(authorization) ?? []
  const named = scheme ?? lone
  return named !== undefined && named.toLowerCase() !== own
}
