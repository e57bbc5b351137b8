import type { Actor } from '../kernel/actor.ts'
import { isAuthError } from '../kernel/errors.ts'
import type { UserRow } from '../store/schema.ts'
import { transact, type Work } from '../store/unit-of-work.ts'
import type { OwnAccounts, ProvedAccount, SignInAttempt } from './accounts.ts'
import { record } from './audit.ts'
import { nextSignInStep } from './authentication.ts'
import { type Claimant, findByIdentifier, recognise } from './claimants.ts'
import type { Deps } from './deps.ts'
import { attemptPassword, checkHash, passwordProof, passwordToSignIn } from './factors/password.ts'
import { updateUser } from './user-rows.ts'
import { findUser } from './users.ts'

/** The accounts that are stored in our own tables. */
export const ownAccounts: OwnAccounts = {
  isExternal: false,

  async recognise(deps, actor, asked) {
    return recognise(deps, actor, await findByIdentifier(deps.store.db, asked), asked)
  },

  proveToSignIn,

  async proveInSession(deps, actor, use, user, password) {
    await attemptPassword(deps, actor, use, () => checkHash(deps, use.claimant, password))
    return user
  },

  async passwordWasSet() {},

  async refresh() {
    return true
  },
}

async function proveToSignIn(deps: Deps, actor: Actor, attempt: SignInAttempt): Promise<ProvedAccount> {
  const { claimant, password } = attempt
  const user = await attemptPassword(
    deps,
    actor,
    passwordToSignIn(claimant),
    async () => (await checkHash(deps, claimant, password)) && claimant.user,
  )
  await assertMaySignIn(deps, actor, user)
  const renewedHash = await renewHash(deps, claimant, user, password)
  return {
    claimant,
    async transact(run) {
      const done = await transact(deps, actor, async (work) => {
        const proved = renewedHash === undefined ? user : await storeRenewedHash(work, user, renewedHash)
        return proved && run(work, proved)
      })
      if (done) return done

      // Another sign-in renewed the hash, or the password has changed: check against the stored hash again.
      const seen = { ...claimant, user: await findUser(deps.store.db, user.id) }
      return (await proveToSignIn(deps, actor, { ...attempt, claimant: seen })).transact(run)
    },
  }
}

/** Records why an account may not sign in even though the password was correct. @throws account_inactive, email_unverified */
async function assertMaySignIn(deps: Deps, actor: Actor, user: UserRow): Promise<void> {
  try {
    nextSignInStep(user, passwordProof)
  } catch (error) {
    const reason = isAuthError(error, 'account_inactive') ? 'inactive' : 'unverified'
    await transact(deps, actor, (work) => record(work, 'signin.failed', user.id, { reason }))
    throw error
  }
}

async function renewHash(deps: Deps, claimant: Claimant, user: UserRow, password: string): Promise<string | undefined> {
  if (user.password_hash === null || !deps.hasher.needsRehash(user.password_hash)) return undefined
  return deps.hasher.hash(password, claimant.hashKey)
}

/** Stores a renewed hash and returns the account, or undefined if the stored hash is no longer the one that was checked. */
async function storeRenewedHash(work: Work, user: UserRow, hash: string): Promise<UserRow | undefined> {
  const stored = await updateUser(work, user.id, { password_hash: hash }, { password_hash: user.password_hash })
  if (stored) await record(work, 'password.rehashed', user.id, {})
  return stored
}
