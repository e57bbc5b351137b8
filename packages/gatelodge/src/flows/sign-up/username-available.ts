import type { Deps } from '../../domain/deps.ts'
import { isOfficialName } from '../../domain/identifiers/official-names.ts'
import { parseUsername } from '../../domain/identifiers/username.ts'
import { isUsernameFree } from '../../domain/usernames.ts'
import type { Actor } from '../../kernel/actor.ts'
import { AuthError } from '../../kernel/errors.ts'

/** Returns whether the requesting browser could sign up with this username now. @throws not_found if the check is disabled, input_invalid */
export async function isUsernameAvailable(deps: Deps, actor: Actor, input: { username: string }): Promise<boolean> {
  if (!deps.config.usernameCheck || deps.config.username === 'off') throw new AuthError('not_found')

  const username = parseUsername('username', input.username)
  if (isOfficialName(username, deps.config.serviceName)) return false
  return isUsernameFree(deps, actor, username)
}
