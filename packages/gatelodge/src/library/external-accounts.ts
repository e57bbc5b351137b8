import type { ExternalAccounts, ProvedAccount } from '../domain/accounts.ts'
import { type Claimant, findByIdentifier, stranger, toIdentifier } from '../domain/claimants.ts'
import type { Deps } from '../domain/deps.ts'
import { attemptPassword, passwordToSignIn } from '../domain/factors/password.ts'
import { setPasswordHash } from '../domain/passwords/set.ts'
import { findUser, getUser } from '../domain/users.ts'
import type { Actor } from '../kernel/actor.ts'
import type { UserId } from '../kernel/ids.ts'
import { transact } from '../store/unit-of-work.ts'
import { askRepository, mirror, transactMirroring } from './external-users.ts'
import { newRepositoryUser, type RepositoryUser, type UserRepository } from './user-repository.ts'

/** Returns the accounts of a repository of the host program. It checks the passwords; our tables hold copies of its accounts for sessions and everything else. */
export function externalAccounts(users: UserRepository): ExternalAccounts {
  return {
    isExternal: true,

    async create(deps, actor, input) {
      const user = await askRepository(() => users.create(newRepositoryUser(input)))
      return prove(deps, actor, stranger(actor, undefined, toIdentifier(user.email)), user, input.password)
    },

    // The repository looks an account up by address or username itself, from whichever field the text came.
    async recognise(_deps, actor, asked) {
      return stranger(actor, undefined, toIdentifier(asked.text))
    },

    async proveToSignIn(deps, actor, { asked: { text }, password }) {
      const user = await askRepository(() => users.authenticateUser(text, password))
      const asked = toIdentifier(text)
      const { db } = deps.store
      const copy = await (user ? findUser(db, user.id as UserId) : findByIdentifier(db, asked))
      const claimant = stranger(actor, copy, asked)
      const proved = await attemptPassword(deps, actor, passwordToSignIn(claimant), async () => user ?? undefined)
      return prove(deps, actor, claimant, proved, password)
    },

    async proveInSession(deps, actor, use, { id }, password) {
      await attemptPassword(deps, actor, use, async () => {
        const known = await askRepository(() => users.getById(id))
        const proved = known && (await askRepository(() => users.authenticateUser(known.email, password)))
        return proved?.id === id || undefined
      })
      const hash = await hashToKeep(deps, use.claimant, id, password)
      if (hash !== null) await transact(deps, actor, (work) => setPasswordHash(deps, work, id, hash))
      return getUser(deps.store.db, id)
    },

    async passwordWasSet(id, password) {
      await askRepository(() => users.updatePassword(id, password))
    },
  }
}

async function prove(
  deps: Deps,
  actor: Actor,
  claimant: Claimant,
  user: RepositoryUser,
  password: string,
): Promise<ProvedAccount> {
  const hash = await hashToKeep(deps, claimant, user.id, password)
  return {
    claimant,
    transact: (run) =>
      transactMirroring(deps, actor, async (work) => {
        const row = await mirror(deps, work, user)
        if (hash !== null) await setPasswordHash(deps, work, row.id, hash)
        return run(work, { ...row, password_hash: hash ?? row.password_hash })
      }),
  }
}

/**
 * Returns a hash of the password that the repository just accepted, for our copy of the account, or null if the copy has one. Flows compare it to see that
 * the password has not changed since it was checked. It is never used to sign a user in.
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
