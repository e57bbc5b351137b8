import type { ExternalAccounts, ProvedAccount, SignInAttempt } from '../domain/accounts.ts'
import { type Claimant, findByIdentifier, stranger, toIdentifier } from '../domain/claimants.ts'
import type { Deps } from '../domain/deps.ts'
import { attemptPassword, passwordToSignIn } from '../domain/factors/password.ts'
import { setPasswordHash } from '../domain/passwords/set.ts'
import { endSessions } from '../domain/sessions.ts'
import { lockUser, updateUser } from '../domain/user-rows.ts'
import { findUser, getUser } from '../domain/users.ts'
import type { Actor } from '../kernel/actor.ts'
import { isAuthError } from '../kernel/errors.ts'
import type { UserId } from '../kernel/ids.ts'
import type { UserRow } from '../store/schema.ts'
import { transact } from '../store/unit-of-work.ts'
import { askForUser, askRepository, createdUser, mirror, syncById, transactMirroring } from './external-users.ts'
import { newRepositoryUser, type RepositoryUser, type UserRepository } from './user-repository.ts'

/** Returns the accounts of a repository of the host program. It checks the passwords; our tables hold copies of its accounts for sessions and everything else. */
export function externalAccounts(users: UserRepository): ExternalAccounts {
  return {
    isExternal: true,

    async create(deps, actor, input) {
      const user = await createdUser(users, newRepositoryUser(input))
      const asked = toIdentifier(user.email)
      const claimant = stranger(actor, undefined, asked)
      return proved(deps, actor, users, { asked, claimant, password: input.password, user, seen: undefined })
    },

    // The repository looks an account up by address or username itself, from whichever field the text came.
    async recognise(_deps, actor, asked) {
      return stranger(actor, undefined, toIdentifier(asked.text))
    },

    async proveToSignIn(deps, actor, attempt) {
      const seen = await findByIdentifier(deps.store.db, toIdentifier(attempt.asked.text))
      return proveToSignIn(deps, actor, users, attempt, seen)
    },

    async proveInSession(deps, actor, use, { id }, password) {
      await syncById({ deps, users }, id)
      await attemptPassword(deps, actor, use, async () => {
        const known = await askForUser(() => users.getById(id))
        const user = known && (await authenticate(users, known.email, password))
        return user?.id === id || undefined
      })
      const copy = await getUser(deps.store.db, id)
      const hash = await hashToKeep(deps, use.claimant, copy, password)
      if (hash !== null) await transact(deps, actor, (work) => setPasswordHash(deps, work, id, hash))
      return getUser(deps.store.db, id)
    },

    // Until it answered, the repository accepted the old password. A sign-in with it that is complete loses its session here, and one under way is checked again,
    // because our hash has changed.
    async passwordWasSet(deps, actor, { userId, password, keep }) {
      await askRepository(() => users.updatePassword(userId, password))
      await transact(deps, actor, async (work) => {
        await updateUser(work, userId, { password_hash: null })
        await endSessions(work, userId, keep)
      })
    },

    refresh: (deps, id) => syncById({ deps, users }, id),
  }
}

/** `seen` is our copy of the account, if there is one, as it was before the repository was asked. */
async function proveToSignIn(
  deps: Deps,
  actor: Actor,
  users: UserRepository,
  attempt: SignInAttempt,
  seen: UserRow | undefined,
): Promise<ProvedAccount> {
  const { text } = attempt.asked
  const user = await authenticate(users, text, attempt.password)
  const { db } = deps.store
  const asked = toIdentifier(text)
  const copy = await (user ? findUser(db, user.id as UserId) : findByIdentifier(db, asked))
  // An account that never signed in here has no copy, but failures of its own.
  const claimant = { ...stranger(actor, copy, asked), ...(user && { subject: user.id }) }
  const found = await attemptPassword(deps, actor, passwordToSignIn(claimant), async () => user ?? undefined)
  return proved(deps, actor, users, { ...attempt, claimant, user: found, seen })
}

/** Returns null for a wrong password, which some repositories report as an error. @throws the errors of the repository, service_unavailable */
async function authenticate(users: UserRepository, text: string, password: string): Promise<RepositoryUser | null> {
  try {
    return await askForUser(() => users.authenticateUser(text, password))
  } catch (error) {
    if (isAuthError(error, 'invalid_credentials') || isAuthError(error, 'incorrect_password')) return null
    throw error
  }
}

async function proved(
  deps: Deps,
  actor: Actor,
  users: UserRepository,
  attempt: SignInAttempt & { readonly user: RepositoryUser; readonly seen: UserRow | undefined },
): Promise<ProvedAccount> {
  const { claimant, password, user, seen } = attempt
  const copy = seen?.id === user.id ? seen : undefined
  const hash = await hashToKeep(deps, claimant, copy, password)
  return {
    claimant,
    async transact(run) {
      const done = await transactMirroring(deps, actor, async (work) => {
        const { id } = await mirror(deps, work, user)
        const row = (await lockUser(work, id)) as UserRow // mirrored just above
        if (row.password_hash !== (copy?.password_hash ?? null)) return undefined
        if (hash !== null) await setPasswordHash(deps, work, id, hash)
        return run(work, { ...row, password_hash: hash ?? row.password_hash })
      })
      if (done) return done

      // Another sign-in stored its hash, or a new password was set while the repository was asked: it is asked again.
      const current = await findUser(deps.store.db, user.id as UserId)
      return (await proveToSignIn(deps, actor, users, attempt, current)).transact(run)
    },
  }
}

/**
 * Returns a hash of the password that the repository just accepted, for our copy of the account, or null if the copy has one. Flows compare it to see that
 * the password has not changed since it was checked. It is never used to sign a user in.
 */
async function hashToKeep(
  deps: Deps,
  { hashKey }: Pick<Claimant, 'hashKey'>,
  copy: UserRow | undefined,
  password: string,
): Promise<string | null> {
  const isKept = copy !== undefined && (await deps.hasher.verify(copy.password_hash, password, hashKey))
  return isKept ? null : deps.hasher.hash(password, hashKey)
}
