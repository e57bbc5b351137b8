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

/** An e-mail address or a username by which somebody signs in. */
export interface Identifier {
  readonly kind: 'email' | 'username'
  /** Canonical, or as sent when no account can have it. */
  readonly value: string
}

/** An address or a username, whichever it looks like, in canonical form where it has one. */
export function toIdentifier(text: string): Identifier {
  return text.includes('@')
    ? { kind: 'email', value: normaliseEmail(text) ?? text }
    : { kind: 'username', value: normaliseUsername(text) ?? text }
}

/** The account of an identifier. */
export function findByIdentifier(db: ReadDb, { kind, value }: Identifier): Promise<UserRow | undefined> {
  return kind === 'email' ? findUserByEmail(db, value) : findUserByUsername(db, value)
}

/**
 * Who says that a password is theirs. Failures are counted for each apart, so that none shuts another out: all strangers together, each known device, each
 * session. Only a right password makes a device or a session, so there are no more counts than the account's owner made.
 */
export interface Claimant {
  readonly kind: 'stranger' | 'device' | 'session'
  /** Whose password it would be. What nobody has is counted as well, or its absence would tell. */
  readonly user: UserRow | undefined
  /** What failures are counted under. */
  readonly subject: string
  /** What the delays of a stranger who signs in are counted under, first that of the identifier given, which is the one that an answer tells of. */
  readonly identifiers: readonly string[]
  /** Whose turn its hashes are. */
  readonly hashKey: HashKey
}

/** Who signs in: a device that the account knows, else a stranger. One look-up whether or not there is such an account. */
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
 * Somebody of whom nothing is known: an account's, or that of a name that nobody has. Nobody is kept out by the failures of such names, so that all of them
 * share 4,096 counts: else each would stay for 90 days.
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

/** Somebody who is signed in already, and proves it again. */
export function sessionHolder(actor: Actor, user: UserRow): Claimant {
  return ownClaimant('session', actor, user, `${sessionIdOf(actor)}`)
}

function ownClaimant(kind: 'device' | 'session', actor: Actor, user: UserRow, id: string): Claimant {
  const key = hashKey(actor, { account: user.id, place: `${kind} ${id}` })
  return { kind, user, subject: `${kind} ${id} ${user.id}`, identifiers: [], hashKey: key }
}

/** As many for a name that nobody has. */
function identifiersOf(user: UserRow | undefined, { kind, value }: Identifier): readonly string[] {
  const other = kind === 'email' ? user?.username && `username ${user.username}` : user && `email ${user.email}`
  return [`${kind} ${value}`, other || `none ${value}`]
}

/** What the delay that a claimant is told of is counted under. */
export function delaySubject({ identifiers: [asked], subject }: Claimant): string {
  return asked ?? subject
}

/** Whether a password is off for a claimant, however right it is: after too many failures, or until the delay of its other identifier is over. */
export async function isRefused(deps: Deps, { subject, identifiers }: Claimant): Promise<boolean> {
  if (!deps.config.rateLimits) return false

  const isStopped = (await failuresOf(deps, passwordLockout, subject)) >= passwordLockout.free
  return isStopped || (identifiers.length > 0 && (await isDelayedTogether(deps, signInDelay, identifiers)))
}

/** Counts a wrong password; when it stops the password for the claimant, the owner is mailed the way on. A name that nobody has costs the same statement. */
export async function noteFailure(deps: Deps, work: Work, { kind, user, subject }: Claimant): Promise<void> {
  if (!deps.config.rateLimits) return

  const failures = await countFailure(deps, work, passwordLockout, subject)
  if (!user || failures !== passwordLockout.free) return

  await record(work, 'password.disabled', user.id, { failures, for: kind })
  await requestMail(work, 'password_disabled', { userId: user.id, for: kind })
}

/**
 * Notes a right password. It ends the delays and takes back as many failures as may have been the claimant's own; of what others count it knows nothing. So
 * an owner who comes every day does not give strangers, or the thief of a device cookie, a hundred more guesses each time.
 */
export async function noteSuccess(deps: Deps, work: Work, claimant: Claimant): Promise<void> {
  const { subject, identifiers } = claimant
  await forgiveFailures(deps, work, passwordLockout, subject, forgivenBySuccess)
  await resetLimit(deps, work, signInDelay, identifiers.length > 0 ? identifiers : [subject])
}

/** Wipes what strangers and devices failed at before an account got another password. */
export async function forgetFailures(deps: Deps, work: Work, userId: UserId): Promise<void> {
  const devices = (await devicesOf(work.db, userId)).map((id) => `device ${id} ${userId}`)
  await resetLimit(deps, work, passwordLockout, [userId, ...devices])
  await resetLimit(deps, work, signInDelay, devices)
}
