import { z } from 'zod'
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
import type { NewRepositoryUser, RepositoryUser, UserRepository } from './user-repository.ts'

type Users = Pick<Engine, 'deps' | 'users'>

/** Creates an account in the host's repository for an administrator. @throws the errors of the repository */
export async function createExternal(engine: Users, actor: Actor, input: NewRepositoryUser): Promise<UserRow> {
  const user = await createdUser(engine.users, input)
  return transactMirroring(engine.deps, actor, (work) => mirror(engine.deps, work, user))
}

/** Asks the host's repository for a new account. @throws the errors of the repository, service_unavailable */
export async function createdUser(users: UserRepository, input: NewRepositoryUser): Promise<RepositoryUser> {
  const user = await askForUser(() => users.create(input))
  if (!user) throw new AuthServiceUnavailable({ detail: 'The user repository returned no account that it had created' })
  return user
}

/** Creates or updates our copy of an account. Returns false if the repository no longer has the account. @throws service_unavailable */
export async function syncById(engine: Users, id: string): Promise<boolean> {
  return sync(engine, await askForUser(() => engine.users.getById(id)))
}

/**
 * Creates or updates our copy of the account with an address. Takes longer if there is one, so only for callers that may learn this.
 * @throws service_unavailable
 */
export async function syncByEmail(engine: Users, email: string): Promise<void> {
  await sync(engine, await askForUser(() => engine.users.getByEmail(email)))
}

/** Calls the host's repository. Any error that is not an AuthError means that it is unavailable. @throws service_unavailable */
export async function askRepository<T>(question: () => Promise<T>): Promise<T> {
  try {
    return await question()
  } catch (error) {
    if (isAuthError(error)) throw error
    throw new AuthServiceUnavailable({ detail: 'The user repository did not answer', cause: error })
  }
}

/** Like `askRepository`, for an answer that is an account. Anything but an object means that there is none. @throws service_unavailable, also for invalid data */
export async function askForUser(question: () => Promise<RepositoryUser | null>): Promise<RepositoryUser | null> {
  const user = await askRepository(question)
  if (typeof user !== 'object' || user === null) return null

  assertValid(user)
  return user
}

async function sync({ deps }: Users, user: RepositoryUser | null): Promise<boolean> {
  if (!user) return false

  const copy = await findUser(deps.store.db, user.id as UserId)
  if (!copy || !isCurrent(deps, copy, user))
    await transactMirroring(deps, actorOf(deps), (work) => mirror(deps, work, user))
  return true
}

/** Runs a unit of work that mirrors an account. Of two that mirror it for the first time, the later one fails on the id, runs again and finds the copy. */
export async function transactMirroring<T>(deps: Deps, actor: Actor, work: (work: Work) => Promise<T>): Promise<T> {
  try {
    return await transact(deps, actor, work)
  } catch (error) {
    if (!lostKey(error)) throw error
    return transact(deps, actor, work)
  }
}

/** Writes an account of the repository into our copy with the same id. @throws service_unavailable if the repository returned invalid data */
export async function mirror(deps: Deps, work: Work, user: RepositoryUser): Promise<UserRow> {
  const id = user.id as UserId
  const seen = await findUser(work.db, id)
  if (seen && isCurrent(deps, seen, user)) return seen

  const columns = columnsOf(deps, work, user, seen)
  await freeFromOthers(work, user)
  work.allowRemoval() // the repository decides which accounts are active, even if no administrator is left
  if (seen) await updateUser(work, id, columns)
  else await insert(work, user, columns)
  if (user.username === null) await dropUsername(work, id)
  else await takeUsername(work, id, user.username)
  if (seen?.is_active === 1 && !user.isActive) await revokeAllAccess(work, id)
  return (await findUser(work.db, id)) as UserRow // written just above
}

const repositoryUserSchema = z.object({
  id: z.string().refine(isUuid),
  email: z.string().refine((email) => normaliseEmail(email) === email),
  emailVerified: z.boolean(),
  username: z
    .string()
    .refine((username) => normaliseUsername(username) === username)
    .nullable(),
  firstName: z.string(),
  lastName: z.string(),
  isActive: z.boolean(),
})

function assertValid(user: RepositoryUser): void {
  const { error } = repositoryUserSchema.safeParse(user)
  if (error === undefined) return

  const fields = [...new Set(error.issues.map(({ path }) => path.join('.')))].join(', ')
  throw new AuthServiceUnavailable({
    detail: `The user repository returned an account with a missing, wrong or non-canonical value: ${fields}`,
  })
}

function isCurrent(deps: Deps, copy: UserRow, user: RepositoryUser): boolean {
  return (
    copy.email === user.email &&
    copy.username === user.username &&
    (copy.email_verified_at !== null) === user.emailVerified &&
    (copy.may_sign_in_unverified === 1) === maySignInUnverified(deps, user) &&
    (copy.is_active === 1) === user.isActive &&
    copy.must_change_password === 0
  )
}

/** Returns whether the account may sign in before its address is verified, as in `instant` mode. */
function maySignInUnverified(deps: Deps, user: RepositoryUser): boolean {
  return deps.config.registration === 'instant' && !user.emailVerified
}

function columnsOf(deps: Deps, work: Work, user: RepositoryUser, seen: UserRow | undefined) {
  return {
    email: user.email,
    email_verified_at: user.emailVerified ? (seen?.email_verified_at ?? work.now) : null,
    signup_browser_hash: null,
    may_sign_in_unverified: maySignInUnverified(deps, user) ? 1 : 0,
    is_active: user.isActive ? 1 : 0,
    must_change_password: 0, // only our own passwords have this state
  } as const
}

/** Removes the address and username of this account from copies of other accounts, which had them before the repository reassigned them. */
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
    is_staff: 0,
  } as const
  await insertUser(work, row, null)
  await record(work, 'user.created', id, { by: 'library' })
}
