import { record } from '../../domain/audit.ts'
import { decideSignIn, finishSignIn, nextSignInStep, type SignInOutcome } from '../../domain/authentication.ts'
import { type Claimant, findByIdentifier, type Identifier, recognise, toIdentifier } from '../../domain/claimants.ts'
import type { Deps } from '../../domain/deps.ts'
import {
  attemptPassword,
  checkHash,
  passwordProof,
  passwordToSignIn,
  withinPasswordDelay,
} from '../../domain/factors/password.ts'
import { normaliseEmail } from '../../domain/identifiers/email.ts'
import { normaliseUsername } from '../../domain/identifiers/username.ts'
import type { SessionOptions } from '../../domain/sessions.ts'
import { updateUser } from '../../domain/user-rows.ts'
import { findUser } from '../../domain/users.ts'
import type { Actor } from '../../kernel/actor.ts'
import { invalidField, isAuthError } from '../../kernel/errors.ts'
import type { UserRow } from '../../store/schema.ts'
import { transact, type Work } from '../../store/unit-of-work.ts'

export interface SignIn extends SessionOptions {
  /** E-mail address or username. */
  readonly identifier?: string | undefined
  readonly email?: string | undefined
  readonly username?: string | undefined
  readonly password: string
}

/**
 * Signs a person in by password. Unknown, wrong and stopped cost and answer the same; what else keeps the account out is told only after a right password.
 * @throws input_invalid, invalid_credentials, account_inactive, email_unverified, rate_limited, overloaded
 */
export async function signIn(deps: Deps, actor: Actor, input: SignIn): Promise<SignInOutcome> {
  const identifier = readIdentifier(input)
  const user = await findByIdentifier(deps.store.db, identifier)
  const claimant = await recognise(deps, actor, user, identifier)
  return withinPasswordDelay(deps, actor, passwordToSignIn(claimant), () =>
    signInByPassword(deps, actor, claimant, input),
  )
}

/** @throws input_invalid unless exactly one of the three is given */
function readIdentifier(input: SignIn): Identifier {
  const given = [input.identifier, input.email, input.username].filter((text) => text !== undefined)
  if (given.length !== 1)
    throw invalidField('identifier', 'required', 'Send exactly one of identifier, email and username')

  if (input.email !== undefined) return { kind: 'email', value: normaliseEmail(input.email) ?? input.email }
  if (input.username !== undefined)
    return { kind: 'username', value: normaliseUsername(input.username) ?? input.username }
  return toIdentifier(input.identifier ?? '')
}

async function signInByPassword(deps: Deps, actor: Actor, claimant: Claimant, input: SignIn): Promise<SignInOutcome> {
  const user = await attemptPassword(
    deps,
    actor,
    passwordToSignIn(claimant),
    async () => (await checkHash(deps, claimant, input.password)) && claimant.user,
  )
  await assertMaySignIn(deps, actor, user)
  const renewedHash = await renewHash(deps, claimant, user, input.password)
  const decision = await transact(deps, actor, async (work) => {
    const proved = renewedHash === undefined ? user : await storeRenewedHash(work, user, renewedHash)
    if (!proved) return undefined
    return decideSignIn(deps, work, proved, passwordProof, input, claimant)
  })
  if (decision) return finishSignIn(deps, decision)

  // Another sign-in renewed the hash, or the password is another by now: what is stored tells.
  return signInByPassword(deps, actor, { ...claimant, user: await findUser(deps.store.db, user.id) }, input)
}

/** Records why an account may not sign in although its password was right. @throws account_inactive, email_unverified */
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

/** The account with its renewed hash; undefined when its hash is no longer the one that was proved. */
async function storeRenewedHash(work: Work, user: UserRow, hash: string): Promise<UserRow | undefined> {
  const stored = await updateUser(work, user.id, { password_hash: hash }, { password_hash: user.password_hash })
  if (stored) await record(work, 'password.rehashed', user.id, {})
  return stored
}
