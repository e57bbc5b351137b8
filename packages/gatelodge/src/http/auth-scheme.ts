/**
 * Returns whether an Authorization header uses a scheme other than `own` (RFC 9110, section 11.4), whatever characters that scheme consists of. A header
 * without a scheme, such as an empty one or a bare token, does not count as foreign.
 */
export function isForeignScheme(authorization: string, own: 'bearer' | 'basic'): boolean {
  const [, scheme, lone] = /^(?:([^ \t]+)[ \t]|([a-z][a-z\d-]*)$)/i.exec(authorization) ?? []
  const named = scheme ?? lone
  return named !== undefined && named.toLowerCase() !== own
}
