import type { Events } from '../kernel/events.ts'
import type { UserId } from '../kernel/ids.ts'
import { staleLocks } from '../store/postgres-errors.ts'
import type { ReadDb } from '../store/store.ts'
import type { Work } from '../store/unit-of-work.ts'
import { lockForRemoval } from './administrators.ts'
import { revokeApiTokens } from './api-tokens.ts'
import { forgetOrigins, record } from './audit.ts'
import { releaseAvatar } from './avatars/files.ts'
import { forgetSignupsOf, lockSignupsOf } from './pending-signups.ts'
import { endSessions } from './sessions.ts'
import { revokeTickets } from './sign-in-tickets.ts'
import { deleteUserRow, updateUser } from './user-rows.ts'

/** The email addresses whose sign-ups a deletion has locked. */
export type LockedAddresses = readonly string[]

/** Locks what precedes an account in the lock order and is deleted with it. To be called before the account itself is locked. */
export async function lockForDeletion(work: Work, userId: UserId): Promise<LockedAddresses> {
  const emails = await addressesOf(work.db, userId)
  for (const email of emails) await lockSignupsOf(work, email)
  return emails
}

/**
 * Deletes an account with its profile, sessions, tokens, names and devices, and the sign-ups with its addresses. The files of its picture become due for
 * removal. Its events stay, without IP address and user agent. Does nothing if the account is already gone. If the account has changed its address since
 * `lockForDeletion`, the unit of work starts over.
 * @throws last_administrator
 */
export async function deleteUser(
  work: Work,
  userId: UserId,
  by: Events['user.deleted']['by'],
  locked: LockedAddresses,
): Promise<void> {
  if (!(await lockForRemoval(work, userId))) return

  const emails = await addressesOf(work.db, userId)
  if (emails.some((email) => !locked.includes(email))) throw staleLocks()

  await releaseAvatar(work, userId)
  await endSessions(work, userId)
  await forgetSignupsOf(work, emails)
  await deleteUserRow(work, userId)
  await forgetOrigins(work, userId)
  await record({ ...work, actor: { ...work.actor, ip: null, userAgent: null } }, 'user.deleted', userId, { by })
  work.erased()
}

/**
 * Deactivates an account: it can no longer sign in, its sessions end and its API tokens are revoked. Does nothing if the account is inactive or gone already.
 * @throws last_administrator
 */
export async function deactivateUser(work: Work, userId: UserId): Promise<void> {
  const user = await lockForRemoval(work, userId)
  if (user?.is_active !== 1) return

  await updateUser(work, userId, { is_active: 0 })
  await revokeAllAccess(work, userId)
}

/** Ends all sessions and revokes all API tokens and sign-in tickets of a user who was just deactivated. */
export async function revokeAllAccess(work: Work, userId: UserId): Promise<void> {
  await record(work, 'user.deactivated', userId, { sessions_ended: await endSessions(work, userId) })
  await revokeApiTokens(work, userId)
  await revokeTickets(work, userId)
}

/** Returns the address of an account and those reserved for an undo, in the order in which they are locked. */
async function addressesOf(db: ReadDb, userId: UserId): Promise<string[]> {
  const rows = await db
    .selectFrom('users')
    .select('email')
    .where('id', '=', userId)
    .union(db.selectFrom('email_reservations').select('email').where('user_id', '=', userId))
    .orderBy('email')
    .execute()
  return rows.map(({ email }) => email)
}
