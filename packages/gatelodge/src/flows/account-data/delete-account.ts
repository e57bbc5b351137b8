import { deleteUser, lockForDeletion } from '../../domain/account-removal.ts'
import { removeDueAvatars } from '../../domain/avatars/files.ts'
import type { Deps } from '../../domain/deps.ts'
import { assertOwnPassword } from '../../domain/factors/password.ts'
import { assertFresh } from '../../domain/freshness.ts'
import type { LiveSession } from '../../domain/session-cache.ts'
import { lockCaller } from '../../domain/sessions.ts'
import { getUser } from '../../domain/users.ts'
import type { Actor } from '../../kernel/actor.ts'
import { transact } from '../../store/unit-of-work.ts'

/**
 * Deletes the caller's account with everything that belongs to it. Requires the password or a fresh proof.
 * @throws incorrect_password, reauthentication_required, last_administrator, token_invalid, rate_limited, overloaded
 */
export async function deleteOwnAccount(
  deps: Deps,
  actor: Actor,
  me: LiveSession,
  input: { password?: string | undefined },
): Promise<void> {
  const user = await getUser(deps.store.db, me.user.id)
  if (input.password !== undefined) await assertOwnPassword(deps, actor, user, input.password)
  else assertFresh(deps, me.principal)

  await transact(deps, actor, async (work) => {
    const locked = await lockForDeletion(work, user.id)
    await lockCaller(work, me) // a reset since the password was proved has ended the session
    await deleteUser(work, user.id, 'self', locked)
  })
  await removeDueAvatars(deps)
}
