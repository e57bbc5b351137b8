import type { Caller } from '../../http/authenticate.ts'

const printed = new WeakMap<Caller, Readonly<Record<string, string>>>()

/**
 * Returns the headers that identify the caller to the service behind a proxy. All four are always present, so that a proxy that copies them overwrites whatever
 * the client sent under these names. Values are ASCII, or else percent-encoded (RFC 3986, section 2.1).
 */
export function identityHeaders(me: Caller): Readonly<Record<string, string>> {
  const known = printed.get(me)
  if (known) return known

  const { user } = me
  const made = {
    'x-auth-user': user.id,
    'x-auth-username': encoded(user.username ?? ''),
    'x-auth-email': encoded(user.email),
    'x-auth-roles': encoded(user.roles.join(',')),
  }
  printed.set(me, made)
  return made
}

function encoded(text: string): string {
  return /^[\x20-\x24\x26-\x7e]*$/.test(text) ? text : encodeURIComponent(text) // a % is encoded as well, so that decoding restores the original
}
