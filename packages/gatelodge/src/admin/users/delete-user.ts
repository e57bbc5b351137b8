import { deleteUser, lockForDeletion } from '../../domain/account-removal.ts'
import { removeDueAvatars } from '../../domain/avatars/files.ts'
import type { Deps } from '../../domain/deps.ts'
import { lockUser } from '../../domain/user-rows.ts'
import type { User } from '../../domain/users.ts'
import type { Actor } from '../../kernel/actor.ts'
import { AuthError } from '../../kernel/errors.ts'
import { transact } from '../../store/unit-of-work.ts'
import { getUserNamed } from './find-users.ts'

/** Deletes an account with everything that belongs to it, and returns the deleted account. @throws user_not_found, last_administrator */
export async function deleteAccount(deps: Deps, actor: Actor, input: { who: string }): Promise<User> {
  const user = await getUserNamed(deps, actor, input.who)
  await transact(deps, actor, async (work) => {
    const locked = await lockForDeletion(work, user.id)
    if (!(await lockUser(work, user.id))) throw new AuthError('user_not_found') // deleted meanwhile
    await deleteUser(work, user.id, 'administrator', locked)
  })
  await removeDueAvatars(deps)
  return user
}
