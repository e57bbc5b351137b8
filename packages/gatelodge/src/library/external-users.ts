import { revokeAllAccess } from '../domain/account-removal.ts'
import { record } from '../domain/audit.ts'
import type { Deps } from '../domain/deps.ts'
import { normaliseEmail } from '../domain/identifiers/email.ts'
import { normaliseUsername } from '../domain/identifiers/username.ts'
import { insertUser, updateUser } from '../domain/user-rows.ts'
import { dropUsername, takeUsername } from '../domain/usernames.ts'
import { findUser, findUserByEmail, findUserByUsername } from '../domain/users.ts'
import type { Actor } from '../kernel/actor.ts'
import { AuthServiceUnavailable, isAuthError } from '../kernel/errors.ts'
import { isUuid, type UserId } from '../kernel/ids.ts'
import { lostKey } from '../store/constraints.ts'
import type { UserRow } from '../store/schema.ts'
import { transact, type Work } from '../store/unit-of-work.ts'
import { actorOf, type Engine } from './engine.ts'
import type { NewRepositoryUser, RepositoryUser } from './user-repository.ts'

type Users = Pick<Engine, 'deps' | 'users'>

/** Makes an account in the host's repository for an administrator. @throws what the repository refuses */
export async function createExternal(engine: Users, actor: Actor, input: NewRepositoryUser): Promise<UserRow> {
  const user = await askRepository(() => engine.users.create(input))
  return transactMirroring(engine.deps, actor, (work) => mirror(engine.deps, work, user))
}

/** Brings our copy of an account up to date; false when the repository has it no more. @throws service_unavailable */
export async function syncById(engine: Users, id: string): Promise<boolean> {
  return sync(engine, await askRepository(() => engine.users.getById(id)))
}

/** Brings our copy of an account up to date by its address, for a caller that may know of it. @throws service_unavailable */
export async function syncByEmail(engine: Users, email: string): Promise<void> {
  await sync(engine, await askRepository(() => engine.users.getByEmail(email)))
}

/** The repository is the host's code: what it raises beside AuthErrors means that it could not answer. */
export async function askRepository<T>(question: () => Promise<T>): Promise<T> {
  try {
    return await question()
  } catch (error) {
    if (isAuthError(error)) throw error
    throw new AuthServiceUnavailable({ detail: 'The user repository did not answer', cause: error })
  }
}

async function sync({ deps }: Users, user: RepositoryUser | null): Promise<boolean> {
  if (!user) return false

  const copy = await findUser(deps.store.db, user.id as UserId)
  if (!copy || !isCurrent(deps, copy, user))
    await transactMirroring(deps, actorOf(deps), (work) => mirror(deps, work, user))
  return true
}

/** A unit of work that mirrors an account. Two that mirror it for the first time meet at its id: the later one runs again and finds the copy. */
export async function transactMirroring<T>(deps: Deps, actor: Actor, work: (work: Work) => Promise<T>): Promise<T> {
  try {
    return await transact(deps, actor, work)
  } catch (error) {
    if (!lostKey(error)) throw error
    return transact(deps, actor, work)
  }
}

/** Writes what the repository says of an account into our copy, under the same id. @throws service_unavailable when it says nonsense */
export async function mirror(deps: Deps, work: Work, user: RepositoryUser): Promise<UserRow> {
  assertCanonical(user)
  const id = user.id as UserId
  const seen = await findUser(work.db, id)
  if (seen && isCurrent(deps, seen, user)) return seen

  const columns = columnsOf(deps, work, user, seen)
  await freeFromOthers(work, user)
  work.allowRemoval() // the repository decides who is active, even where that leaves no administrator
  if (seen) await updateUser(work, id, columns)
  else await insert(work, user, columns)
  if (user.username === null) await dropUsername(work, id)
  else await takeUsername(work, id, user.username)
  if (seen?.is_active === 1 && !user.isActive) await revokeAllAccess(work, id)
  return (await findUser(work.db, id)) as UserRow // written just above
}

function assertCanonical(user: RepositoryUser): void {
  const isCanonical =
    isUuid(user.id) &&
    normaliseEmail(user.email) === user.email &&
    (user.username === null || normaliseUsername(user.username) === user.username)
  if (!isCanonical) {
    throw new AuthServiceUnavailable({
      detail: 'The user repository returned an ID, email address or username that is not in canonical form',
    })
  }
}

function isCurrent(deps: Deps, copy: UserRow, user: RepositoryUser): boolean {
  return (
    copy.email === user.email &&
    copy.username === user.username &&
    (copy.email_verified_at !== null) === user.emailVerified &&
    (copy.may_sign_in_unverified === 1) === isLetInUnproved(deps, user) &&
    (copy.is_active === 1) === user.isActive
  )
}

/** In `instant` mode an account is let in before its address is proved. */
function isLetInUnproved(deps: Deps, user: RepositoryUser): boolean {
  return deps.config.registration === 'instant' && !user.emailVerified
}

function columnsOf(deps: Deps, work: Work, user: RepositoryUser, seen: UserRow | undefined) {
  return {
    email: user.email,
    email_verified_at: user.emailVerified ? (seen?.email_verified_at ?? work.now) : null,
    signup_browser_hash: null,
    may_sign_in_unverified: isLetInUnproved(deps, user) ? 1 : 0,
    is_active: user.isActive ? 1 : 0,
  } as const
}

/** An address or a name that the repository gave to another account since leaves its former copy, which stays that of its id. */
async function freeFromOthers(work: Work, user: RepositoryUser): Promise<void> {
  const byEmail = await findUserByEmail(work.db, user.email)
  if (byEmail && byEmail.id !== user.id) {
    const nowhere = { email: `${byEmail.id}@moved.invalid`, email_verified_at: null }
    await updateUser(work, byEmail.id, nowhere)
  }
  const byName = user.username === null ? undefined : await findUserByUsername(work.db, user.username)
  if (byName && byName.id !== user.id) await dropUsername(work, byName.id)
}

async function insert(work: Work, user: RepositoryUser, columns: ReturnType<typeof columnsOf>): Promise<void> {
  const id = user.id as UserId
  const row = {
    ...columns,
    id,
    first_name: user.firstName,
    last_name: user.lastName,
    password_hash: null,
    password_changed_at: null,
    must_change_password: 0,
    is_staff: 0,
  } as const
  await insertUser(work, row, null)
  await record(work, 'user.created', id, { by: 'library' })
}
