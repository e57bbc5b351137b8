import { record } from '../../domain/audit.ts'
import { removeDueAvatars, setAvatar, storeAvatar } from '../../domain/avatars/files.ts'
import type { Deps } from '../../domain/deps.ts'
import { getUser, loadUser, type User } from '../../domain/users.ts'
import type { Actor } from '../../kernel/actor.ts'
import type { UserId } from '../../kernel/ids.ts'
import { transact } from '../../store/unit-of-work.ts'

/**
 * Gives an account another picture, made anew from an image; the files of the former one go after the commit.
 * @throws image_invalid, image_too_large, overloaded, service_unavailable (nothing changed), token_invalid
 */
export async function changeAvatar(deps: Deps, actor: Actor, userId: UserId, image: Uint8Array): Promise<User> {
  const images = await deps.avatarRenderer.render(image)
  const name = await storeAvatar(deps, actor, images)

  const user = await transact(deps, actor, async (work) => {
    await setAvatar(work, userId, name)
    const changed = await getUser(work.db, userId)
    await record(work, 'avatar.changed', userId, {})
    return loadUser(work.db, changed)
  })
  await removeDueAvatars(deps)
  return user
}

/** Takes the picture of an account away; without one nothing happens. @throws token_invalid */
export async function removeAvatar(deps: Deps, actor: Actor, userId: UserId): Promise<User> {
  const user = await transact(deps, actor, async (work) => {
    if (await setAvatar(work, userId, null)) await record(work, 'avatar.removed', userId, {})
    return loadUser(work.db, await getUser(work.db, userId))
  })
  await removeDueAvatars(deps)
  return user
}
