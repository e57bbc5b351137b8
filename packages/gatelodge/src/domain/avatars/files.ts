import { type Actor, systemActor } from '../../kernel/actor.ts'
import { hour } from '../../kernel/clock.ts'
import { AuthError } from '../../kernel/errors.ts'
import type { UserId } from '../../kernel/ids.ts'
import { transact, type Work } from '../../store/unit-of-work.ts'
import type { Deps } from '../deps.ts'
import { lockUser, updateUser } from '../user-rows.ts'
import { type AvatarName, avatarFile, nameAvatar, parseAvatarFile } from './names.ts'
import type { AvatarImages } from './render.ts'

// A file and a row cannot be stored in one transaction. So every file is listed in `avatar_removals` before it is written and until an account has it, and
// again from the commit that removes it from the account: whatever is interrupted, clean-up finds unused files without listing a store.

const folder = '/avatars/'
/** How long an upload may take to become part of an account, in ms. */
const underWay = hour
const batch = 100

/** Returns the path of an avatar below the public URL. */
export function avatarPath(name: AvatarName): string {
  return `${folder}${avatarFile(name, 320)}`
}

/** Stores the files of a new picture that belongs to no account yet. @throws service_unavailable */
export async function storeAvatar(deps: Deps, actor: Actor, images: AvatarImages): Promise<AvatarName> {
  const name = nameAvatar(deps.random, images)
  await transact(deps, actor, (work) => announceRemoval(work, name, work.now + underWay))
  await deps.avatarStorage.put(name, images)
  return name
}

/**
 * Assigns a stored picture, or none, to an account. The files of the previous picture become due for removal with the commit. Returns whether anything changed.
 * @throws service_unavailable if the upload took too long
 */
export async function setAvatar(work: Work, userId: UserId, name: AvatarName | null): Promise<boolean> {
  const former = await releaseAvatar(work, userId)
  if (name === null && former === null) return false

  const avatarUrl = name === null ? null : avatarPath(name)
  await updateUser(work, userId, { avatar_url: avatarUrl })
  if (name === null) return true

  const { numDeletedRows } = await work.db
    .deleteFrom('avatar_removals')
    .where('name', '=', name)
    .where('due_at', '>', work.now)
    .executeTakeFirstOrThrow()
  if (numDeletedRows === 0n) throw new AuthError('service_unavailable') // clean-up may have deleted the files
  return true
}

/** Locks the account, marks the files of its picture as due for removal, and returns the picture's path. */
export async function releaseAvatar(work: Work, userId: UserId): Promise<string | null> {
  const former = (await lockUser(work, userId))?.avatar_url ?? null
  const parsed = former?.startsWith(folder) ? parseAvatarFile(former.slice(folder.length)) : undefined
  if (parsed) await announceRemoval(work, parsed.name, work.now)
  return former
}

/**
 * Removes the files that are due and returns how many pictures they belonged to. Called after a commit that made some due, and by clean-up. If the store cannot
 * be reached, this is logged and the next call tries again.
 */
export async function removeDueAvatars(deps: Deps): Promise<number> {
  const due = await deps.store.db
    .selectFrom('avatar_removals')
    .select('name')
    .where('due_at', '<=', deps.clock.now())
    .orderBy('due_at')
    .limit(batch)
    .execute()
  const removed: string[] = []
  try {
    for (const { name } of due) {
      await deps.avatarStorage.remove(name as AvatarName) // only names created by `nameAvatar` are stored
      removed.push(name)
    }
  } catch (err) {
    deps.log.warn({ err }, 'files of former avatars could not be deleted; the clean-up job will retry')
  }

  if (removed.length > 0) {
    await transact(deps, systemActor('job', 'avatars'), async (work) => {
      await work.db.deleteFrom('avatar_removals').where('name', 'in', removed).execute()
    })
  }
  return removed.length
}

async function announceRemoval(work: Work, name: AvatarName, dueAt: number): Promise<void> {
  await work.db.insertInto('avatar_removals').values({ name, due_at: dueAt }).execute()
}
