import type { Deps } from '../../domain/deps.ts'
import { day, toIso } from '../../kernel/clock.ts'
import { AuthError } from '../../kernel/errors.ts'

/** Returns the operator's contact in the format of RFC 9116, valid for half a year from now. @throws not_found if no contact is configured */
export function securityTxt(deps: Deps): string {
  const { securityContact, publicUrl } = deps.config
  if (securityContact === null) throw new AuthError('not_found')

  return [
    `Contact: ${securityContact}`,
    `Expires: ${toIso(deps.clock.now() + 180 * day)}`,
    `Canonical: ${publicUrl}/.well-known/security.txt`,
    '',
  ].join('\n')
}
