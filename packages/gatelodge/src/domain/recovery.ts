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

/** How long an owner can take the account back by the link of a notice, in ms. */
export const undoWindow = 72 * hour

/**
 * Creates the link of a security notice for the case "this wasn't me". It works once within 72 hours, whatever happens to password and address meanwhile,
 * and undoes what was added to the account from `since` on.
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

/** Creates the link to a new password that opens an account in recovery. */
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
 * Puts an account, held by `lockUser`, into recovery for the owner of the address that the link was mailed to. The address is restored, every session ends,
 * the password is off, API tokens added since are revoked, other links are void. From now on only the reset link that is mailed to that address opens
 * the account: see `decideSignIn` and `resetPassword`. @throws token_invalid when the address is neither the account's nor reserved for it
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
  // An owner who presses the buttons of several notices may open the first mail that came of it; one that went to another address is worth nothing.
  if (isRestored) await invalidateTokens(work, { userId: user.id }, ['recovery'])
  await forgetDevices(work, user.id)
  const sessionsEnded = await endSessions(work, user.id)
  await revokeApiTokens(work, user.id, link.since ?? 0) // links of older versions do not say since when
  if (isRestored) await requestMail(work, 'email_restored', { userId: user.id, email: link.email })
  else await requestMail(work, 'recovery_started', { userId: user.id })
  await record(work, 'recovery.started', user.id, { reason, sessions_ended: sessionsEnded })
}

/**
 * Opens an account that is in recovery, when its password was chosen anew. Earlier notices to this address tell of what is undone now, so their links end; those
 * to another address stay: a thief who is first to recover must not close the owner's way.
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
 * The live reservation that an undo goes back to, with the later ones and their links gone: a thief who changed the address twice holds the undo
 * link of the address in between. Earlier ones stay, for the same reason. @throws token_invalid
 */
async function takeReservation(work: Work, userId: UserId, email: string): Promise<void> {
  const reservations = await findReservationsOf(work.db, userId, work.now)
  const restored = reservations.find((reservation) => reservation.email === email)
  if (!restored) throw new AuthError('token_invalid')

  const later = reservations.filter(({ expires_at }) => expires_at >= restored.expires_at).map((row) => row.email)
  await removeReservations(work, later)
  await invalidateTokensTo(work, userId, 'email_change_undo', later)
}
