import { createAccount } from '../admin/users/create-user.ts'
import { revokeApiTokens } from '../domain/api-tokens.ts'
import { record } from '../domain/audit.ts'
import { findByIdentifier, noteSuccess, stranger, toIdentifier } from '../domain/claimants.ts'
import type { Deps } from '../domain/deps.ts'
import { attemptPassword, checkHash, passwordToSignIn, withinPasswordDelay } from '../domain/factors/password.ts'
import { normaliseEmail } from '../domain/identifiers/email.ts'
import { normaliseUsername } from '../domain/identifiers/username.ts'
import { readNames } from '../domain/names.ts'
import { invalidateTokens } from '../domain/one-time-tokens.ts'
import { requestNotice } from '../domain/outbox.ts'
import { hashKey } from '../domain/passwords/hash-key.ts'
import { assertPasswordAllowed } from '../domain/passwords/policy.ts'
import { setPasswordHash } from '../domain/passwords/set.ts'
import { endRecovery } from '../domain/recovery.ts'
import { endSessions } from '../domain/sessions.ts'
import { lockUser } from '../domain/user-rows.ts'
import { findUser, findUserByEmail, findUserByUsername } from '../domain/users.ts'
import { UserNotFound, undefinedOn } from '../kernel/errors.ts'
import type { UserId } from '../kernel/ids.ts'
import type { UserRow } from '../store/schema.ts'
import { transact } from '../store/unit-of-work.ts'
import { actorOf } from './engine.ts'
import { newUserSchema, type RegisterRequest, readInput } from './input.ts'
import { raising } from './naming.ts'

/** An account as a repository returns it, without its password or hash. */
export interface RepositoryUser {
  /** A UUID in lower case, never reused for another account. */
  readonly id: string
  /** In canonical form: lower case, the domain as A-labels. */
  readonly email: string
  readonly emailVerified: boolean
  /** In canonical form: lower case, without `@`. */
  readonly username: string | null
  readonly firstName: string
  readonly lastName: string
  /** Whether the account may be used. */
  readonly isActive: boolean
}

export interface NewRepositoryUser {
  readonly email: string
  readonly password: string
  readonly username?: string | undefined
  readonly firstName?: string | undefined
  readonly lastName?: string | undefined
}

/**
 * The store of accounts and their passwords. An implementation hashes and checks passwords itself, looks up addresses and usernames in canonical form, and
 * keeps both unique under concurrency. `userRepositoryContract` of `gatelodge/contracts` tests an implementation.
 */
export interface UserRepository {
  /** @throws UserAlreadyExistsError if the address has an account; another AuthError for a taken username or invalid input */
  create(user: NewRepositoryUser): Promise<RepositoryUser>
  getById(id: string): Promise<RepositoryUser | null>
  /** Finds an account by its address, in any spelling. */
  getByEmail(email: string): Promise<RepositoryUser | null>
  /** Finds an account by its username, in any spelling. */
  getByUsername(username: string): Promise<RepositoryUser | null>
  /** Returns active accounts in a stable order. Defaults: `skip` 0, `limit` 100. */
  getActiveUsers(skip?: number, limit?: number): Promise<RepositoryUser[]>
  /** Replaces the password. @throws UserNotFound */
  updatePassword(id: string, password: string): Promise<void>
  /** Returns the active account with this address or username and this password, or null. An unknown account and a wrong password must take the same time. */
  authenticateUser(identifier: string, password: string): Promise<RepositoryUser | null>
}

const mostListed = 1_000

/** Returns the repository over Gatelodge's own store. Failures count as at sign-in: many in a row delay the next attempt (rate_limited). */
export function sqlUserRepository(deps: Deps): UserRepository {
  const { db } = deps.store
  return {
    create: (user) => raising({}, () => create(deps, user)),
    getById: async (id) => orNull(await findUser(db, id as UserId)), // any text is safe here: if it is not a user's ID, no row matches
    getByEmail: async (email) => orNull(await findUserByEmail(db, normaliseEmail(email) ?? '')),
    getByUsername: async (username) => orNull(await findUserByUsername(db, normaliseUsername(username) ?? '')),
    async getActiveUsers(skip = 0, limit = 100) {
      const rows = await db
        .selectFrom('users')
        .selectAll()
        .where('is_active', '=', 1)
        .orderBy('created_at')
        .orderBy('id')
        .offset(Math.max(0, Math.trunc(skip)))
        .limit(Math.min(Math.max(0, Math.trunc(limit)), mostListed))
        .execute()
      return rows.map(toRepositoryUser)
    },
    updatePassword: (id, password) => raising({}, () => updatePassword(deps, id as UserId, password)),
    authenticateUser: (identifier, password) => raising({}, () => authenticate(deps, identifier, password)),
  }
}

/** Creates an account and mails it a verification link, without which the user cannot sign in. */
async function create(deps: Deps, user: NewRepositoryUser): Promise<RepositoryUser> {
  const { id, email, emailVerified, username, firstName, lastName, isActive } = await createAccount(
    deps,
    actorOf(deps),
    readInput(newUserSchema, user),
  )
  return { id, email, emailVerified, username, firstName, lastName, isActive }
}

function orNull(row: UserRow | undefined): RepositoryUser | null {
  return row ? toRepositoryUser(row) : null
}

function toRepositoryUser(row: UserRow): RepositoryUser {
  return {
    id: row.id,
    email: row.email,
    emailVerified: row.email_verified_at !== null,
    username: row.username,
    firstName: row.first_name,
    lastName: row.last_name,
    isActive: row.is_active === 1,
  }
}

/** Sets a password that the user did not type here: revokes all sessions, API tokens and mailed links, and notifies the user. */
async function updatePassword(deps: Deps, id: UserId, password: string): Promise<void> {
  const seen = await findUser(deps.store.db, id)
  if (!seen) throw new UserNotFound()
  assertPasswordAllowed('password', password, deps.config.passwordMinLength, {
    email: seen.email,
    username: seen.username,
    firstName: seen.first_name,
    lastName: seen.last_name,
    serviceName: deps.config.serviceName,
  })
  const actor = actorOf(deps)
  const hash = await deps.hasher.hash(password, hashKey(actor))

  await transact(deps, actor, async (work) => {
    const user = await lockUser(work, id)
    if (!user) throw new UserNotFound()

    await setPasswordHash(deps, work, id, hash)
    await endRecovery(work, user)
    await invalidateTokens(work, { userId: id }, ['password_reset', 'recovery', 'email_change'])
    await revokeApiTokens(work, id)
    await requestNotice(deps, work, 'password_changed', { userId: id, at: work.now })
    await record(work, 'password.changed', id, { sessions_ended: await endSessions(work, id) })
  })
}

async function authenticate(deps: Deps, identifier: string, password: string): Promise<RepositoryUser | null> {
  const asked = toIdentifier(identifier)
  const user = await findByIdentifier(deps.store.db, asked)
  const actor = actorOf(deps)
  const claimant = stranger(actor, user, asked)
  const use = passwordToSignIn(claimant)
  const right = await undefinedOn('invalid_credentials', () =>
    withinPasswordDelay(deps, actor, use, async () => {
      await attemptPassword(deps, actor, use, () => checkHash(deps, claimant, password))
      await transact(deps, actor, (work) => noteSuccess(deps, work, claimant))
      return true
    }),
  )
  if (!right) return null
  return user?.is_active === 1 ? toRepositoryUser(user) : null
}

/** Converts a registration to the input of a repository. @throws input_invalid for a full name together with a first or last name */
export function newRepositoryUser(request: RegisterRequest): NewRepositoryUser {
  const { email, password, username } = request
  return { email, password, username, ...readNames(request) }
}
