import { type Actor, sessionIdOf } from '../kernel/actor.ts'
import { sha256, type UserId } from '../kernel/ids.ts'
import type { UserRow } from '../store/schema.ts'
import type { ReadDb } from '../store/store.ts'
import type { Work } from '../store/unit-of-work.ts'
import { record } from './audit.ts'
import type { Deps } from './deps.ts'
import { devicesOf, findKnownDevice } from './devices.ts'
import { normaliseEmail } from './identifiers/email.ts'
import { normaliseUsername } from './identifiers/username.ts'
import { countFailure, failuresOf, forgiveFailures, isDelayedTogether, resetLimit } from './limits.ts'
import { requestMail } from './outbox.ts'
import { forgivenBySuccess, passwordLockout, signInDelay } from './password-limits.ts'
import { type HashKey, hashKey } from './passwords/hash-key.ts'
import { findUserByEmail, findUserByUsername } from './users.ts'

/** An email address or a username that a user signs in with. */
export interface Identifier {
  readonly kind: 'email' | 'username'
  /** Canonical, or as sent if no account can have it. */
  readonly value: string
  /** As sent. */
  readonly text: string
}

/** Returns an address or a username, depending on the text, in canonical form if it has one. */
export function toIdentifier(text: string): Identifier {
  return text.includes('@')
    ? { kind: 'email', value: normaliseEmail(text) ?? text, text }
    : { kind: 'username', value: normaliseUsername(text) ?? text, text }
}

/** Returns the account of an identifier. */
export function findByIdentifier(db: ReadDb, { kind, value }: Identifier): Promise<UserRow | undefined> {
  return kind === 'email' ? findUserByEmail(db, value) : findUserByUsername(db, value)
}

/**
 * A party that presents a password as its own. Failures are counted per claimant, so that none can lock out another: all unauthenticated visitors together,
 * each known device, each session. Devices and sessions require the right password, so only the account's owner creates further counters.
 */
export interface Claimant {
  readonly kind: 'stranger' | 'device' | 'session'
  /** The account whose password it would be. Identifiers without an account are counted too; otherwise the difference would reveal which accounts exist. */
  readonly user: UserRow | undefined
  /** The key that failures are counted under. */
  readonly subject: string
  /** The keys for the delays of a stranger who signs in. The first is that of the given identifier, the only one that responses mention. */
  readonly identifiers: readonly string[]
  /** Whose turn in the queue its hashes use. */
  readonly hashKey: HashKey
}

/** Identifies the party that signs in: a device that the account knows, otherwise a stranger. Does one look-up whether or not the account exists. */
export async function recognise(
  deps: Deps,
  actor: Actor,
  user: UserRow | undefined,
  asked: Identifier,
): Promise<Claimant> {
  const device = await findKnownDevice(deps, actor, user?.id)
  if (!user || device === undefined) return stranger(actor, user, asked)

  return ownClaimant('device', actor, user, device)
}

/**
 * Returns the claimant for an unknown visitor, for an account or for an identifier without one. Failures for unknown identifiers lock out no one, so they share
 * 4,096 counters; otherwise each would be stored for 90 days.
 */
export function stranger(actor: Actor, user: UserRow | undefined, asked?: Identifier): Claimant {
  const subject = user?.id ?? `unknown ${sha256(asked?.value ?? '').slice(0, 2)}`
  return {
    kind: 'stranger',
    user,
    subject,
    identifiers: asked ? identifiersOf(user, asked) : [],
    hashKey: hashKey(actor),
  }
}

/** Returns the claimant for a signed-in user who proves identity again. */
export function sessionHolder(actor: Actor, user: UserRow): Claimant {
  return ownClaimant('session', actor, user, `${sessionIdOf(actor)}`)
}

function ownClaimant(kind: 'device' | 'session', actor: Actor, user: UserRow, id: string): Claimant {
  const key = hashKey(actor, { account: user.id, place: `${kind} ${id}` })
  return { kind, user, subject: `${kind} ${id} ${user.id}`, identifiers: [], hashKey: key }
}

/** Returns two keys in either case, whether or not the account exists. */
function identifiersOf(user: UserRow | undefined, { kind, value }: Identifier): readonly string[] {
  const other = kind === 'email' ? user?.username && `username ${user.username}` : user && `email ${user.email}`
  return [`${kind} ${value}`, other || `none ${value}`]
}

/** Returns the key of the delay that responses mention. */
export function delaySubject({ identifiers: [asked], subject }: Claimant): string {
  return asked ?? subject
}

/** Returns whether passwords are disabled for a claimant, even the right one: after too many failures, or until the delay of its other identifier is over. */
export async function isRefused(deps: Deps, { subject, identifiers }: Claimant): Promise<boolean> {
  if (!deps.config.rateLimits) return false

  const isStopped = (await failuresOf(deps, passwordLockout, subject)) >= passwordLockout.free
  return isStopped || (identifiers.length > 0 && (await isDelayedTogether(deps, signInDelay, identifiers)))
}

/**
 * Counts a wrong password. If this disables the password for the claimant, the owner is emailed a way to continue. An unknown identifier costs the same
 * statement.
 */
export async function noteFailure(deps: Deps, work: Work, { kind, user, subject }: Claimant): Promise<void> {
  if (!deps.config.rateLimits) return

  const failures = await countFailure(deps, work, passwordLockout, subject)
  if (!user || failures !== passwordLockout.free) return

  await record(work, 'password.disabled', user.id, { failures, for: kind })
  await requestMail(work, 'password_disabled', { userId: user.id, for: kind })
}

/**
 * Records a right password. Ends the delays and forgives as many failures as may have been the claimant's own; counts of other claimants are untouched. So an
 * owner who signs in every day does not give strangers, or the thief of a device cookie, a hundred more guesses each time.
 */
export async function noteSuccess(deps: Deps, work: Work, claimant: Claimant): Promise<void> {
  const { subject, identifiers } = claimant
  await forgiveFailures(deps, work, passwordLockout, subject, forgivenBySuccess)
  await resetLimit(deps, work, signInDelay, identifiers.length > 0 ? identifiers : [subject])
}

/** Resets the failures of strangers and devices when an account gets a new password. */
export async function forgetFailures(deps: Deps, work: Work, userId: UserId): Promise<void> {
  const devices = (await devicesOf(work.db, userId)).map((id) => `device ${id} ${userId}`)
  await resetLimit(deps, work, passwordLockout, [userId, ...devices])
  await resetLimit(deps, work, signInDelay, devices)
}
