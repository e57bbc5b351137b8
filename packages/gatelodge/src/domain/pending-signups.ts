import type { Instant } from '../kernel/clock.ts'
import type { PendingSignupRow } from '../store/schema.ts'
import type { ReadDb } from '../store/store.ts'
import type { Work } from '../store/unit-of-work.ts'
import { releaseReservedNames } from './usernames.ts'

/** The most pending sign-ups of one address. Each use of the address locks all of them, so their number must be small. */
const mostSignups = 100

/** Returns the unexpired sign-up with this id, if it is for this address. */
export async function findPendingSignup(
  db: ReadDb,
  id: string,
  email: string,
  now: Instant,
): Promise<PendingSignupRow | undefined> {
  return pendingSignupsOf(db, email, now).where('id', '=', id).executeTakeFirst()
}

/** Returns the newest unexpired sign-up of an address. */
export async function findNewestPendingSignup(
  db: ReadDb,
  email: string,
  now: Instant,
): Promise<PendingSignupRow | undefined> {
  return pendingSignupsOf(db, email, now).orderBy('created_at', 'desc').limit(1).executeTakeFirst()
}

/**
 * Serialises units of work that claim an address for an account, or delete its account: each invalidates the sign-ups of the others, which would be a deadlock
 * on PostgreSQL. The lock is on the address and not on its rows, since a sign-up may arrive at any moment.
 */
export async function lockSignupsOf(work: Work, email: string): Promise<void> {
  await work.lockName(`sign-ups of ${email}`)
}

/** Deletes the oldest pending sign-ups of an address until there is room for one more. */
export async function makeRoomForSignup(work: Work, email: string): Promise<void> {
  const surplus = await work.db
    .selectFrom('pending_signups')
    .select('id')
    .where('email', '=', email)
    .orderBy('created_at', 'desc')
    .orderBy('id')
    .offset(mostSignups - 1)
    .limit(mostSignups)
    .execute()
  if (surplus.length === 0) return

  await lockSignupsOf(work, email)
  const ids = surplus.map(({ id }) => id)
  await work.db.deleteFrom('pending_signups').where('id', 'in', ids).execute()
}

/** Stores a sign-up that waits for its link. Replaces the oldest if the address has too many. */
export async function insertPendingSignup(work: Work, signup: Omit<PendingSignupRow, 'created_at'>): Promise<void> {
  await work.db
    .insertInto('pending_signups')
    .values({ ...signup, created_at: work.now })
    .execute()
}

/**
 * Deletes every pending sign-up of an address with its links, because the address has an owner now. The names reserved for it stay reserved until they expire:
 * a visitor who saw one become free early would know of the account.
 */
export async function voidSignupsOf(work: Work, email: string): Promise<void> {
  await work.db.deleteFrom('pending_signups').where('email', '=', email).execute()
}

/** Deletes everything that sign-ups stored for these addresses, including reserved names, because an account that had them is deleted. */
export async function forgetSignupsOf(work: Work, emails: readonly string[]): Promise<void> {
  for (const email of emails) await voidSignupsOf(work, email)
  await releaseReservedNames(work, emails)
}

function pendingSignupsOf(db: ReadDb, email: string, now: Instant) {
  return db.selectFrom('pending_signups').selectAll().where('email', '=', email).where('expires_at', '>', now)
}
