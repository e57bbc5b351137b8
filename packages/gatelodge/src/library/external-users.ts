import { revokeAllAccess } from '../domain/account-removal.ts'
import { record } from '../domain/audit.ts'
import { decideSignIn, finishSignIn, type SignInOutcome } from '../domain/authentication.ts'
import { type Claimant, findByIdentifier, stranger, toIdentifier } from '../domain/claimants.ts'
import type { Deps } from '../domain/deps.ts'
import {
  attemptPassword,
  passwordInSession,
  passwordProof,
  passwordToSignIn,
  withinPasswordDelay,
} from '../domain/factors/password.ts'
import { normaliseEmail } from '../domain/identifiers/email.ts'
import { normaliseUsername } from '../domain/identifiers/username.ts'
import { setPasswordHash } from '../domain/passwords/set.ts'
import type { LiveSession } from '../domain/session-cache.ts'
import type { SessionOptions } from '../domain/sessions.ts'
import { insertUser, updateUser } from '../domain/user-rows.ts'
import { dropUsername, takeUsername } from '../domain/usernames.ts'
import { findUser, findUserByEmail, findUserByUsername, getUser } from '../domain/users.ts'
import type { Actor } from '../kernel/actor.ts'
import { AuthError, AuthServiceUnavailable, invalidField, isAuthError } from '../kernel/errors.ts'
import { isUuid, type UserId } from '../kernel/ids.ts'
import { lostKey } from '../store/constraints.ts'
import type { UserRow } from '../store/schema.ts'
import { transact, type Work } from '../store/unit-of-work.ts'
import { actorOf, type Engine } from './engine.ts'
import type { NewRepositoryUser, RepositoryUser } from './user-repository.ts'

type Users = Pick<Engine, 'deps' | 'users'>

interface Names {
  readonly identifier?: string | undefined
  readonly email?: string | undefined
  readonly username?: string | undefined
}

/**
 * Signs somebody in by the host's repository: it says whether the password is right, the session starts in our store.
 * @throws input_invalid, invalid_credentials, email_unverified, rate_limited, service_unavailable
 */
export async function signInExternal(
  engine: Users,
  actor: Actor,
  names: Names,
  password: string,
  wish: SessionOptions,
): Promise<SignInOutcome> {
  const { deps, users } = engine
  const identifier = onlyOne(names)
  const asked = toIdentifier(identifier)
  return withinPasswordDelay(deps, actor, passwordToSignIn(stranger(actor, undefined, asked)), async () => {
    const user = await ask(() => users.authenticateUser(identifier, password))
    const { db } = deps.store
    const copy = await (user ? findUser(db, user.id as UserId) : findByIdentifier(db, asked))
    const claimant = stranger(actor, copy, asked)
    const proved = await attemptPassword(deps, actor, passwordToSignIn(claimant), async () => user ?? undefined)
    return startExternal(engine, claimant, actor, proved, password, wish)
  })
}

/** Makes an account in the host's repository and signs it in. @throws what the repository refuses, registration_closed unless the mode is `instant` */
export async function signUpExternal(engine: Users, actor: Actor, input: NewRepositoryUser): Promise<SignInOutcome> {
  if (engine.deps.config.registration !== 'instant') throw new AuthError('registration_closed')

  const user = await ask(() => engine.users.create(input))
  const claimant = stranger(actor, undefined, toIdentifier(user.email))
  return startExternal(engine, claimant, actor, user, input.password, { kind: 'token', remember: false })
}

/** Makes an account in the host's repository for an administrator. @throws what the repository refuses */
export async function createExternal(engine: Users, actor: Actor, input: NewRepositoryUser): Promise<UserRow> {
  const user = await ask(() => engine.users.create(input))
  return transactMirroring(engine.deps, actor, (work) => mirror(engine.deps, work, user))
}

/** Brings our copy of an account up to date; false when the repository has it no more. @throws service_unavailable */
export async function syncById(engine: Users, id: string): Promise<boolean> {
  return sync(engine, await ask(() => engine.users.getById(id)))
}

/** Brings our copy of an account up to date by its address, for a caller that may know of it. @throws service_unavailable */
export async function syncByEmail(engine: Users, email: string): Promise<void> {
  await sync(engine, await ask(() => engine.users.getByEmail(email)))
}

/** Has the repository check the password of somebody signed in, which may have changed there. @throws incorrect_password, rate_limited, service_unavailable */
export async function proveExternal(engine: Users, actor: Actor, me: LiveSession, password: string): Promise<void> {
  const { deps, users } = engine
  const { id } = me.user
  const use = passwordInSession(actor, await getUser(deps.store.db, id))
  await withinPasswordDelay(deps, actor, use, () =>
    attemptPassword(deps, actor, use, async () => {
      const known = await ask(() => users.getById(id))
      const proved = known && (await ask(() => users.authenticateUser(known.email, password)))
      return proved?.id === id || undefined
    }),
  )

  const hash = await hashToKeep(deps, use.claimant, id, password)
  if (hash !== null) await transact(deps, actor, (work) => setPasswordHash(deps, work, id, hash))
}

/** Passes a new password on to the repository. @throws what the repository refuses, service_unavailable */
export async function passPasswordOn({ users }: Users, id: string, password: string): Promise<void> {
  await ask(() => users.updatePassword(id, password))
}

function onlyOne({ identifier, email, username }: Names): string {
  const given = [identifier, email, username].filter((text) => text !== undefined)
  if (given.length === 1 && given[0] !== undefined) return given[0]
  throw invalidField('identifier', 'required', 'Send exactly one of identifier, email and username')
}

/** The repository is the host's code: what it raises beside AuthErrors means that it could not answer. */
async function ask<T>(question: () => Promise<T>): Promise<T> {
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

async function startExternal(
  { deps }: Users,
  claimant: Claimant,
  actor: Actor,
  user: RepositoryUser,
  password: string,
  wish: SessionOptions,
): Promise<SignInOutcome> {
  const hash = await hashToKeep(deps, claimant, user.id, password)
  const decision = await transactMirroring(deps, actor, async (work) => {
    const row = await mirror(deps, work, user)
    if (hash !== null) await setPasswordHash(deps, work, row.id, hash)
    const proved = { ...row, password_hash: hash ?? row.password_hash }
    return decideSignIn(deps, work, proved, passwordProof, wish, claimant)
  })
  return finishSignIn(deps, decision)
}

/**
 * The copy keeps a hash of the password that the repository accepted last, so that the flows find what was just proved; nobody signs in by it.
 * Null when it has it already.
 */
async function hashToKeep(
  deps: Deps,
  { hashKey }: Pick<Claimant, 'hashKey'>,
  id: string,
  password: string,
): Promise<string | null> {
  const copy = await findUser(deps.store.db, id as UserId)
  const isKept = copy !== undefined && (await deps.hasher.verify(copy.password_hash, password, hashKey))
  return isKept ? null : deps.hasher.hash(password, hashKey)
}

/** A unit of work that mirrors an account. Two that mirror it for the first time meet at its id: the later one runs again and finds the copy. */
async function transactMirroring<T>(deps: Deps, actor: Actor, work: (work: Work) => Promise<T>): Promise<T> {
  try {
    return await transact(deps, actor, work)
  } catch (error) {
    if (!lostKey(error)) throw error
    return transact(deps, actor, work)
  }
}

/** Writes what the repository says of an account into our copy, under the same id. @throws service_unavailable when it says nonsense */
async function mirror(deps: Deps, work: Work, user: RepositoryUser): Promise<UserRow> {
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
