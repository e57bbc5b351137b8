import { deleteUser } from '../../domain/account-removal.ts'
import { removeDueAvatars } from '../../domain/avatars/files.ts'
import type { Deps } from '../../domain/deps.ts'
import { loadUser, type User } from '../../domain/users.ts'
import type { Actor } from '../../kernel/actor.ts'
import { transact } from '../../store/unit-of-work.ts'
import { getRowNamed } from './find-users.ts'

/** Removes an account with everything that belongs to it and answers what it was. @throws user_not_found, last_administrator */
export async function deleteAccount(deps: Deps, actor: Actor, input: { who: string }): Promise<User> {
  const row = await getRowNamed(deps, input.who)
  const user = await loadUser(deps.store.db, row)
  await transact(deps, actor, (work) => deleteUser(work, row.id, 'administrator'))
  await removeDueAvatars(deps)
  return user
}
