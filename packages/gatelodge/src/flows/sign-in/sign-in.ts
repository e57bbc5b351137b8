import { record } from '../../domain/audit.ts'
import {
  assertMaySignIn,
  finishSignIn,
  isPasswordOf,
  passwordProof,
  type SignedIn,
  startSession,
} from '../../domain/authentication.ts'
import {
  type Claimant,
  delaySubject,
  findByIdentifier,
  type Identifier,
  noteFailure,
  recognise,
  toIdentifier,
} from '../../domain/claimants.ts'
import type { Deps } from '../../domain/deps.ts'
import { normaliseEmail } from '../../domain/identifiers/email.ts'
import { normaliseUsername } from '../../domain/identifiers/username.ts'
import { attemptWithin, signInDelay } from '../../domain/limits.ts'
import type { SessionWish } from '../../domain/sessions.ts'
import { updateUser } from '../../domain/user-rows.ts'
import { findUser } from '../../domain/users.ts'
import type { Actor } from '../../kernel/actor.ts'
import { AuthError, invalidField, isAuthError } from '../../kernel/errors.ts'
import type { Events } from '../../kernel/events.ts'
import type { UserRow } from '../../store/schema.ts'
import { transact, type Work } from '../../store/unit-of-work.ts'

export interface SignIn extends SessionWish {
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
export async function signIn(deps: Deps, actor: Actor, input: SignIn): Promise<SignedIn> {
  const identifier = readIdentifier(input)
  const user = await findByIdentifier(deps.store.db, identifier)
  const claimant = await recognise(deps, actor, user, identifier)
  const use = {
    limit: signInDelay,
    subject: delaySubject(claimant),
    isFailure: (error: unknown) => isAuthError(error, 'invalid_credentials'),
  }

  return attemptWithin(deps, actor, use, () => signInByPassword(deps, actor, claimant, input))
}

/** @throws input_invalid unless exactly one of the three is given */
function readIdentifier(input: SignIn): Identifier {
  const given = [input.identifier, input.email, input.username].filter((text) => text !== undefined)
  if (given.length !== 1) throw invalidField('identifier', 'required', 'Give one of identifier, email and username')

  if (input.email !== undefined) return { kind: 'email', value: normaliseEmail(input.email) ?? input.email }
  if (input.username !== undefined)
    return { kind: 'username', value: normaliseUsername(input.username) ?? input.username }
  return toIdentifier(input.identifier ?? '')
}

async function signInByPassword(deps: Deps, actor: Actor, claimant: Claimant, input: SignIn): Promise<SignedIn> {
  const { user } = claimant
  const right = await isPasswordOf(deps, claimant, input.password)
  if (!right || !user) {
    await recordFailure(deps, actor, claimant, user ? 'wrong_password' : 'unknown_user')
    throw new AuthError('invalid_credentials')
  }

  await assertAllowedIn(deps, actor, claimant, user)
  const renewedHash = await renewHash(deps, claimant, user, input.password)
  const started = await transact(deps, actor, async (work) => {
    const proved = renewedHash === undefined ? user : await storeRenewedHash(work, user, renewedHash)
    if (!proved) return undefined
    return startSession(deps, work, proved, passwordProof, input, claimant)
  })
  if (started) return finishSignIn(deps, started)

  // Another sign-in renewed the hash, or the password is another by now: what is stored tells.
  return signInByPassword(deps, actor, { ...claimant, user: await findUser(deps.store.db, user.id) }, input)
}

async function recordFailure(
  deps: Deps,
  actor: Actor,
  claimant: Claimant,
  reason: Events['signin.failed']['reason'],
): Promise<void> {
  await transact(deps, actor, async (work) => {
    if (reason === 'wrong_password' || reason === 'unknown_user') await noteFailure(deps, work, claimant)
    await record(work, 'signin.failed', claimant.user?.id ?? null, { reason })
  })
}

async function assertAllowedIn(deps: Deps, actor: Actor, claimant: Claimant, user: UserRow): Promise<void> {
  try {
    assertMaySignIn(user)
  } catch (error) {
    await recordFailure(deps, actor, claimant, isAuthError(error, 'account_inactive') ? 'inactive' : 'unverified')
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
