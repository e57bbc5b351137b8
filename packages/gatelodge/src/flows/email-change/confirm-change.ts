import { revokeApiTokens } from '../../domain/api-tokens.ts'
import { record } from '../../domain/audit.ts'
import type { Deps } from '../../domain/deps.ts'
import { spendToken, voidTokens } from '../../domain/one-time-tokens.ts'
import { requestMail } from '../../domain/outbox.ts'
import { endSessions } from '../../domain/sessions.ts'
import { findEmailOwner, loadUser, lockUser, type User, voidSignupsOf } from '../../domain/users.ts'
import type { Actor } from '../../kernel/actor.ts'
import { hour } from '../../kernel/clock.ts'
import { AuthError } from '../../kernel/errors.ts'
import type { UserId } from '../../kernel/ids.ts'
import { transact, type Work } from '../../store/unit-of-work.ts'

/** How long the former address can take the account back, in ms. */
export const undoWindow = 72 * hour

/**
 * Puts the new address in place by its mailed link, once. The link is the proof: no session is needed, and only the confirming browser's session of
 * the account stays. The former address is kept for its owner and told how to undo. @throws token_invalid
 */
export async function confirmEmailChange(deps: Deps, actor: Actor, input: { token: string }): Promise<User> {
  return transact(deps, actor, async (work) => {
    const token = await spendToken(work, 'email_change', input.token)
    const user = await lockUser(work, token.user_id as UserId) // an e-mail change is an account's
    if (user?.is_active !== 1 || (await isTaken(work, token.email, user.id))) throw new AuthError('token_invalid')

    await reserve(work, user.email, user.id)
    await moveTo(work, user.id, token.email)
    await voidTokens(work, { userId: user.id }, ['password_reset', 'verify_email', 'email_change'])
    const keep = actor.userId === user.id ? actor.sessionId : null
    const sessionsEnded = await endSessions(work, user.id, keep)
    await requestMail(work, 'email_changed', { userId: user.id, formerEmail: user.email, newEmail: token.email })
    await record(work, 'email.changed', user.id, { sessions_ended: sessionsEnded })
    return loadUser(work.db, { ...user, email: token.email, email_verified_at: work.now })
  })
}

/**
 * Gives the account back to its former address by the link mailed there, once: ends every session and mails a reset link, since whoever changed the
 * address may know the password. @throws token_invalid
 */
export async function undoEmailChange(deps: Deps, actor: Actor, input: { token: string }): Promise<void> {
  await transact(deps, actor, async (work) => {
    const token = await spendToken(work, 'email_change_undo', input.token)
    const user = await lockUser(work, token.user_id as UserId) // an undo is an account's
    if (!user) throw new AuthError('token_invalid')

    await takeReservation(work, user.id, token.email)
    await moveTo(work, user.id, token.email)
    await voidTokens(work, { userId: user.id }, ['password_reset', 'verify_email', 'email_change'])
    const sessionsEnded = await endSessions(work, user.id)
    await revokeApiTokens(work, user.id)
    await requestMail(work, 'email_restored', { userId: user.id, email: token.email })
    await record(work, 'email_change.undone', user.id, { sessions_ended: sessionsEnded })
  })
}

/**
 * The live reservation that an undo goes back to, with the later ones and their links gone: a thief who changed the address twice holds the undo
 * link of the address in between. Earlier ones stay, for the same reason. @throws token_invalid
 */
async function takeReservation(work: Work, userId: UserId, email: string): Promise<void> {
  const reservations = await work.db
    .selectFrom('email_reservations')
    .selectAll()
    .where('user_id', '=', userId)
    .where('expires_at', '>', work.now)
    .execute()
  const restored = reservations.find((reservation) => reservation.email === email)
  if (!restored) throw new AuthError('token_invalid')

  const later = reservations.filter(({ expires_at }) => expires_at >= restored.expires_at).map((row) => row.email)
  await work.db.deleteFrom('email_reservations').where('email', 'in', later).execute()
  await work.db
    .deleteFrom('one_time_tokens')
    .where('user_id', '=', userId)
    .where('purpose', '=', 'email_change_undo')
    .where('email', 'in', later)
    .execute()
}

async function isTaken(work: Work, email: string, userId: UserId): Promise<boolean> {
  const owner = await findEmailOwner(work.db, email, work.now)
  return owner !== undefined && owner.id !== userId
}

async function reserve(work: Work, email: string, userId: UserId): Promise<void> {
  const values = { user_id: userId, expires_at: work.now + undoWindow }
  await work.db
    .insertInto('email_reservations')
    .values({ email, ...values })
    .onConflict((conflict) => conflict.column('email').doUpdateSet(values))
    .execute()
}

/** The link was mailed there, so the address is proved. */
async function moveTo(work: Work, userId: UserId, email: string): Promise<void> {
  await work.db
    .updateTable('users')
    .set({ email, email_verified_at: work.now, signup_browser_hash: null })
    .where('id', '=', userId)
    .execute()
  await work.db.deleteFrom('email_reservations').where('email', '=', email).execute()
  await voidSignupsOf(work, email)
  work.changed([userId])
}
