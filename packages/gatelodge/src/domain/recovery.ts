import { hour, type Instant } from '../kernel/clock.ts'
import { AuthError } from '../kernel/errors.ts'
import type { Events } from '../kernel/events.ts'
import type { UserId } from '../kernel/ids.ts'
import type { OneTimeTokenRow, UserRow } from '../store/schema.ts'
import type { Work } from '../store/unit-of-work.ts'
import { revokeApiTokens } from './api-tokens.ts'
import { record } from './audit.ts'
import type { Deps } from './deps.ts'
import { forgetDevices } from './devices.ts'
import { findReservationsOf, removeReservations } from './email-reservations.ts'
import { issueLink, type MailedLink } from './mailed-links.ts'
import { invalidateTokens, invalidateTokensTo } from './one-time-tokens.ts'
import { requestMail } from './outbox.ts'
import { endSessions } from './sessions.ts'
import { updateUser } from './user-rows.ts'
import { moveToEmail } from './users.ts'

/** How long an owner can recover the account with the link in a notice, in ms. */
export const undoWindow = 72 * hour

/**
 * Creates the link of a security notice for "this wasn't me". It works once within 72 hours, whatever happens to password and address in the meantime, and
 * undoes what was added to the account from `since` on.
 */
export function issueUndoLink(deps: Deps, work: Work, user: UserRow, since: Instant): Promise<MailedLink> {
  const owner = { userId: user.id }
  return issueLink(deps, work, '/security/undo', {
    purpose: 'security_undo',
    owner,
    email: user.email,
    ttl: undoWindow,
    since,
  })
}

/** Creates the link to choose a new password, which opens an account in recovery. */
export function issueRecoveryLink(deps: Deps, work: Work, user: UserRow): Promise<MailedLink> {
  const owner = { userId: user.id }
  return issueLink(deps, work, '/reset-password', {
    purpose: 'recovery',
    owner,
    email: user.email,
    ttl: deps.config.resetTtl,
  })
}

/**
 * Puts an account, locked by `lockUser`, into recovery for the owner of the address that the link was emailed to. Restores the address, ends every session,
 * disables the password, revokes API tokens created since, and invalidates other links. From now on only the reset link emailed to that address opens the
 * account: see `decideSignIn` and `resetPassword`.
 * @throws token_invalid if the address is neither the account's nor reserved for it
 */
export async function startRecovery(
  work: Work,
  user: UserRow,
  link: Pick<OneTimeTokenRow, 'email' | 'since'>,
  reason: Events['recovery.started']['reason'],
): Promise<void> {
  const isRestored = link.email !== user.email
  if (isRestored) {
    await takeReservation(work, user.id, link.email)
    await moveToEmail(work, user.id, link.email)
  }
  await updateUser(work, user.id, {
    password_hash: null,
    password_changed_at: work.now,
    recovery_since: work.now,
  })
  await invalidateTokens(work, { userId: user.id }, ['password_reset', 'verify_email', 'email_change'])
  // An owner who uses the links of several notices may open the first of the resulting emails. One that went to another address must not work.
  if (isRestored) await invalidateTokens(work, { userId: user.id }, ['recovery'])
  await forgetDevices(work, user.id)
  const sessionsEnded = await endSessions(work, user.id)
  await revokeApiTokens(work, user.id, link.since ?? 0) // links of older versions have no `since`
  if (isRestored) await requestMail(work, 'email_restored', { userId: user.id, email: link.email })
  else await requestMail(work, 'recovery_started', { userId: user.id })
  await record(work, 'recovery.started', user.id, { reason, sessions_ended: sessionsEnded })
}

/**
 * Ends the recovery of an account when a new password has been chosen. Earlier notices to this address report changes that are now undone, so their links
 * become invalid. Those to another address stay valid: a thief who recovers first must not close the owner's way.
 */
export async function endRecovery(
  work: Work,
  { id, email, recovery_since }: Pick<UserRow, 'id' | 'email' | 'recovery_since'>,
): Promise<void> {
  if (recovery_since === null) return

  await updateUser(work, id, { recovery_since: null })
  await invalidateTokensTo(work, id, 'security_undo', [email])
}

/**
 * Returns the live reservation that an undo goes back to, and removes it and the later ones with their links: a thief who changed the address twice has the
 * undo link of the address in between. Earlier ones stay, for the same reason.
 * @throws token_invalid
 */
async function takeReservation(work: Work, userId: UserId, email: string): Promise<void> {
  const reservations = await findReservationsOf(work.db, userId, work.now)
  const restored = reservations.find((reservation) => reservation.email === email)
  if (!restored) throw new AuthError('token_invalid')

  const later = reservations.filter(({ expires_at }) => expires_at >= restored.expires_at).map((row) => row.email)
  await removeReservations(work, later)
  await invalidateTokensTo(work, userId, 'email_change_undo', later)
}
