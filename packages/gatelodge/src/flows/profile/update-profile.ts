import { record } from '../../domain/audit.ts'
import type { Deps } from '../../domain/deps.ts'
import { isOfficialName } from '../../domain/identifiers/official-names.ts'
import { parseUsername, type Username } from '../../domain/identifiers/username.ts'
import { type GivenNames, readNames } from '../../domain/names.ts'
import { type ProfileChange, readProfile } from '../../domain/profiles.ts'
import type { LiveSession } from '../../domain/session-cache.ts'
import { lockCaller } from '../../domain/sessions.ts'
import { updateProfileRow, updateUser } from '../../domain/user-rows.ts'
import { dropUsername, takeUsername } from '../../domain/usernames.ts'
import { getUser, loadUser, type User } from '../../domain/users.ts'
import type { Actor } from '../../kernel/actor.ts'
import { AuthError, invalidField, readAll } from '../../kernel/errors.ts'
import type { UserRow } from '../../store/schema.ts'
import { transact, type Work } from '../../store/unit-of-work.ts'

export interface ProfileUpdate extends GivenNames {
  /** Null removes the username. */
  readonly username?: string | null | undefined
  readonly profile?: ProfileChange | undefined
}

/** Changes the given fields of the caller's account and profile. Omitted fields stay, null clears. @throws input_invalid, username_taken, token_invalid */
export async function updateProfile(deps: Deps, actor: Actor, me: LiveSession, input: ProfileUpdate): Promise<User> {
  if (deps.accounts.isExternal && input.username !== undefined)
    throw invalidField('username', 'unknown', 'Usernames are kept elsewhere')
  const [names, profile, username] = readAll(
    () => readNames(input),
    () => readProfile(input.profile ?? {}, deps.clock.now()),
    () => readUsername(deps, input.username),
  )

  return transact(deps, actor, async (work) => {
    const user = await lockCaller(work, me)
    if (username === null) await dropUsername(work, user.id)
    else if (username !== undefined) await changeUsername(deps, work, user, username)

    const columns = {
      ...(names.firstName !== undefined && { first_name: names.firstName }),
      ...(names.lastName !== undefined && { last_name: names.lastName }),
    }
    if (Object.keys(columns).length > 0) {
      await updateUser(work, user.id, columns)
    }
    if (Object.keys(profile).length > 0) {
      await updateProfileRow(work, user.id, profile)
    }
    work.changed([user.id])
    const fields = [...Object.keys(columns), ...Object.keys(profile), ...(username === undefined ? [] : ['username'])]
    await record(work, 'user.updated', user.id, { fields })
    return loadUser(work.db, await getUser(work.db, user.id))
  })
}

/** Changes the username. An official-looking name may be kept, but not taken. @throws username_taken */
async function changeUsername(deps: Deps, work: Work, user: UserRow, username: Username): Promise<void> {
  if (username !== user.username && isOfficialName(username, deps.config.serviceName))
    throw new AuthError('username_taken')

  await takeUsername(work, user.id, username)
}

function readUsername(deps: Deps, username: string | null | undefined): Username | null | undefined {
  if (username === undefined) return undefined
  if (deps.config.username === 'off') throw invalidField('username', 'unknown', 'Usernames are disabled on this server')
  if (username !== null) return parseUsername('username', username)
  if (deps.config.username === 'required') throw invalidField('username', 'required', 'This field is required')
  return null
}
