import { record } from '../../domain/audit.ts'
import { removeDueAvatars, setAvatar, storeAvatar } from '../../domain/avatars/files.ts'
import type { Deps } from '../../domain/deps.ts'
import { type Asker, lockCaller } from '../../domain/sessions.ts'
import { getUser, loadUser, type User } from '../../domain/users.ts'
import type { Actor } from '../../kernel/actor.ts'
import { transact } from '../../store/unit-of-work.ts'

/**
 * Gives an account another picture, re-encoded from an image. The files of the former one are deleted after the commit.
 * @throws image_invalid, image_too_large, overloaded, service_unavailable (nothing changed), token_invalid
 */
export async function changeAvatar(deps: Deps, actor: Actor, me: Asker, image: Uint8Array): Promise<User> {
  const images = await deps.avatarRenderer.render(image)
  const name = await storeAvatar(deps, actor, images)

  const user = await transact(deps, actor, async (work) => {
    const { id } = await lockCaller(work, me) // the session may have ended while the picture was received and encoded
    await setAvatar(work, id, name)
    const changed = await getUser(work.db, id)
    await record(work, 'avatar.changed', id, {})
    return loadUser(work.db, changed)
  })
  await removeDueAvatars(deps)
  return user
}

/** Removes the picture of an account, if it has one. @throws token_invalid */
export async function removeAvatar(deps: Deps, actor: Actor, me: Asker): Promise<User> {
  const user = await transact(deps, actor, async (work) => {
    const { id } = await lockCaller(work, me)
    if (await setAvatar(work, id, null)) await record(work, 'avatar.removed', id, {})
    return loadUser(work.db, await getUser(work.db, id))
  })
  await removeDueAvatars(deps)
  return user
}
