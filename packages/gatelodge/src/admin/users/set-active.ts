import { deactivateUser } from '../../domain/account-removal.ts'
import { record } from '../../domain/audit.ts'
import type { Deps } from '../../domain/deps.ts'
import { lockUser, updateUser } from '../../domain/user-rows.ts'
import type { User } from '../../domain/users.ts'
import type { Actor } from '../../kernel/actor.ts'
import { transact } from '../../store/unit-of-work.ts'
import { getRowNamed, getUserNamed } from './find-users.ts'

/** Activates an account, or deactivates it and revokes its sessions. Does nothing if the account is already in this state. @throws user_not_found, last_administrator */
export async function setActive(deps: Deps, actor: Actor, input: { who: string; active: boolean }): Promise<User> {
  const { id } = await getRowNamed(deps, input.who)
  await transact(deps, actor, async (work) => {
    if (!input.active) return deactivateUser(work, id)

    const user = await lockUser(work, id)
    if (user?.is_active !== 0) return
    await updateUser(work, id, { is_active: 1 })
    await record(work, 'user.activated', id, {})
  })
  return getUserNamed(deps, actor, id)
}
