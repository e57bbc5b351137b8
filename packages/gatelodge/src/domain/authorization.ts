import type { Role } from '../store/schema.ts'
import type { LiveSession } from './session-cache.ts'

/** What a role may permit its users to do in administration. */
export type Permission = 'users.write'

const permissionsOf: Readonly<Record<Role, readonly Permission[]>> = { administrator: ['users.write'] }

/**
 * Returns whether the caller has a permission. This is the only function that decides so. Only a session has roles: an API token or a service client is not a
 * valid argument. The permission of a route, and the rule that no one acts on a user with more permissions, belong here.
 *
 *     if (!can(me, 'users.write')) throw new AuthError('not_found')
 */
export function can(caller: LiveSession, permission: Permission): boolean {
  return caller.user.roles.some((role) => permissionsOf[role].includes(permission))
}
