import type { Actor } from '../../kernel/actor.ts'
import { AuthError, isAuthError } from '../../kernel/errors.ts'
import type { UserRow } from '../../store/schema.ts'
import { transact, type Work } from '../../store/unit-of-work.ts'
import { record } from '../audit.ts'
import { type Claimant, delaySubject, isRefused, noteFailure, noteSuccess, sessionHolder } from '../claimants.ts'
import type { Deps } from '../deps.ts'
import { attemptWithin, type GrowingDelay } from '../limits.ts'
import { passwordDelay, signInDelay } from '../password-limits.ts'
import type { Proof } from '../sessions.ts'

/** A proof by the account's password (RFC 8176). */
export const passwordProof: Proof = { methods: ['pwd'], assurance: 'aal1' }

/** One use of a password: who gives it, what its failures are counted under and delayed by, and what a wrong one answers and records. */
export interface PasswordUse {
  readonly claimant: Claimant
  readonly delay: GrowingDelay
  readonly subject: string
  readonly code: 'invalid_credentials' | 'incorrect_password'
  readonly detail?: string
  /** Whether a right password wipes the count of the delay. */
  readonly resets?: true
  readonly recordFailure: (work: Work) => Promise<void>
}

/** Returns the use of a password to sign in. Failures are recorded for known and unknown accounts alike. */
export function passwordToSignIn(claimant: Claimant): PasswordUse {
  const { user } = claimant
  return {
    claimant,
    delay: signInDelay,
    subject: delaySubject(claimant),
    code: 'invalid_credentials',
    recordFailure: (work) =>
      record(work, 'signin.failed', user?.id ?? null, { reason: user ? 'wrong_password' : 'unknown_user' }),
  }
}

/** Returns the use of a password by a signed-in user, to prove their identity again. */
export function passwordInSession(actor: Actor, user: UserRow): PasswordUse {
  const claimant = sessionHolder(actor, user)
  return {
    claimant,
    delay: passwordDelay,
    subject: claimant.subject,
    code: 'incorrect_password',
    resets: true,
    recordFailure: (work) => record(work, 'reauthentication.failed', user.id, {}),
  }
}

/** Runs what tries a password, while the delay after earlier failures allows it. @throws rate_limited, and what `run` throws */
export function withinPasswordDelay<T>(
  deps: Deps,
  actor: Actor,
  { delay, subject, code, resets }: Pick<PasswordUse, 'delay' | 'subject' | 'code' | 'resets'>,
  run: () => Promise<T>,
): Promise<T> {
  const isFailure = (error: unknown) => isAuthError(error, code)
  return attemptWithin(deps, actor, { limit: delay, subject, isFailure, ...(resets && { resets }) }, run)
}

/**
 * Tries a password once: this is the one failure path of passwords. `check` returns what the right password proves, or undefined. A lockout, an unknown account
 * and a wrong password cost and answer the same. @throws the code of the use, overloaded
 */
export async function attemptPassword<T>(
  deps: Deps,
  actor: Actor,
  use: PasswordUse,
  check: () => Promise<T | undefined>,
): Promise<T> {
  const refused = await isRefused(deps, use.claimant)
  const proved = await check()
  if (proved !== undefined && !refused) return proved

  await transact(deps, actor, async (work) => {
    await noteFailure(deps, work, use.claimant)
    await use.recordFailure(work)
  })
  throw new AuthError(use.code, use.detail === undefined ? {} : { detail: use.detail })
}

/** Returns true for the account's password, else undefined; an account without one, or none, costs the same. @throws overloaded */
export async function checkHash(
  { hasher }: Deps,
  { user, hashKey }: Claimant,
  password: string,
): Promise<true | undefined> {
  return (await hasher.verify(user?.password_hash ?? null, password, hashKey)) || undefined
}

/** Lets a signed-in user prove their identity again, and returns the account as it was proved. @throws incorrect_password, rate_limited, overloaded */
export async function assertOwnPassword(deps: Deps, actor: Actor, user: UserRow, password: string): Promise<UserRow> {
  const use = passwordInSession(actor, user)
  return withinPasswordDelay(deps, actor, use, async () => {
    const proved = await deps.accounts.proveInSession(deps, actor, use, user, password)
    await transact(deps, actor, (work) => noteSuccess(deps, work, use.claimant))
    return proved
  })
}
