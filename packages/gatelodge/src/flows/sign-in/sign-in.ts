import { record } from '../../domain/audit.ts'
import {
  assertMaySignIn,
  finishSignIn,
  isPasswordOf,
  notePasswordFailure,
  passwordProof,
  type SignedIn,
  startSession,
} from '../../domain/authentication.ts'
import type { Deps } from '../../domain/deps.ts'
import { isKnownDevice, readDeviceCookie } from '../../domain/devices.ts'
import { normaliseEmail } from '../../domain/identifiers/email.ts'
import { normaliseUsername } from '../../domain/identifiers/username.ts'
import { attemptWithin, signInDelay } from '../../domain/limits.ts'
import type { SessionWish } from '../../domain/sessions.ts'
import { findUserByEmail, findUserByUsername } from '../../domain/users.ts'
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
  const user = await findByIdentifier(deps, identifier)
  const use = {
    limit: signInDelay,
    subject: await delaySubject(deps, actor, user, identifier),
    isFailure: (error: unknown) => isAuthError(error, 'invalid_credentials'),
    resets: true,
  }

  return attemptWithin(deps, actor, use, () => signInByPassword(deps, actor, user, identifier, input))
}

interface Identifier {
  readonly kind: 'email' | 'username'
  /** Canonical, or as sent when no account can have it. */
  readonly value: string
}

/** @throws input_invalid unless exactly one of the three is given */
function readIdentifier(input: SignIn): Identifier {
  const given = [input.identifier, input.email, input.username].filter((text) => text !== undefined)
  if (given.length !== 1) throw invalidField('identifier', 'required', 'Give one of identifier, email and username')

  const text = given[0] ?? ''
  const isEmail = input.email !== undefined || (input.identifier !== undefined && text.includes('@'))
  return isEmail
    ? { kind: 'email', value: normaliseEmail(text) ?? text }
    : { kind: 'username', value: normaliseUsername(text) ?? text }
}

async function findByIdentifier(deps: Deps, { kind, value }: Identifier): Promise<UserRow | undefined> {
  return kind === 'email' ? findUserByEmail(deps.store.db, value) : findUserByUsername(deps.store.db, value)
}

/** A device that signed in before has a count of its own: failures from elsewhere do not lock its owner out. */
async function delaySubject(
  deps: Deps,
  actor: Actor,
  user: UserRow | undefined,
  identifier: Identifier,
): Promise<string> {
  const device = readDeviceCookie(deps.keyring, actor.deviceCookie)
  if (user && device !== undefined && (await isKnownDevice(deps, user.id, device))) return `device ${device} ${user.id}`
  return `${identifier.kind} ${identifier.value}`
}

async function signInByPassword(
  deps: Deps,
  actor: Actor,
  user: UserRow | undefined,
  identifier: Identifier,
  input: SignIn,
): Promise<SignedIn> {
  const right = await isPasswordOf(deps, actor, user, input.password, identifier.value)
  if (!right || !user) {
    await noteFailure(deps, actor, user, user ? 'wrong_password' : 'unknown_user', identifier.value)
    throw new AuthError('invalid_credentials')
  }

  await assertAllowedIn(deps, actor, user)
  const renewedHash = await renewHash(deps, actor, user, input.password)
  const started = await transact(deps, actor, async (work) => {
    const proved = renewedHash === undefined ? user : await storeRenewedHash(work, user, renewedHash)
    return startSession(deps, work, proved, passwordProof, input)
  })
  return finishSignIn(deps, started)
}

async function noteFailure(
  deps: Deps,
  actor: Actor,
  user: UserRow | undefined,
  reason: Events['signin.failed']['reason'],
  asked = '',
): Promise<void> {
  await transact(deps, actor, async (work) => {
    if (reason === 'wrong_password' || reason === 'unknown_user') await notePasswordFailure(deps, work, user, asked)
    await record(work, 'signin.failed', user?.id ?? null, { reason })
  })
}

async function assertAllowedIn(deps: Deps, actor: Actor, user: UserRow): Promise<void> {
  try {
    assertMaySignIn(user)
  } catch (error) {
    await noteFailure(deps, actor, user, isAuthError(error, 'account_inactive') ? 'inactive' : 'unverified')
    throw error
  }
}

async function renewHash(deps: Deps, actor: Actor, user: UserRow, password: string): Promise<string | undefined> {
  if (user.password_hash === null || !deps.hasher.needsRehash(user.password_hash)) return undefined
  return deps.hasher.hash(password, actor.ip ?? '')
}

async function storeRenewedHash(work: Work, user: UserRow, hash: string): Promise<UserRow> {
  await work.db
    .updateTable('users')
    .set({ password_hash: hash })
    .where('id', '=', user.id)
    .where('password_hash', '=', user.password_hash)
    .execute()
  work.changed([])
  await record(work, 'password.rehashed', user.id, {})
  return { ...user, password_hash: hash }
}
