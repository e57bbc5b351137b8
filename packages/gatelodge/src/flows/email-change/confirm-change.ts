import { record } from '../../domain/audit.ts'
import type { Deps } from '../../domain/deps.ts'
import { reserveEmail } from '../../domain/email-reservations.ts'
import { consumeToken, invalidateTokens } from '../../domain/one-time-tokens.ts'
import { requestMail } from '../../domain/outbox.ts'
import { startRecovery, undoWindow } from '../../domain/recovery.ts'
import { endSessions, isLive, lockSession } from '../../domain/sessions.ts'
import { lockUser } from '../../domain/user-rows.ts'
import { findEmailOwner, loadUser, moveToEmail, type User } from '../../domain/users.ts'
import { type Actor, sessionIdOf, userIdOf } from '../../kernel/actor.ts'
import { AuthError } from '../../kernel/errors.ts'
import type { UserId } from '../../kernel/ids.ts'
import { transact, type Work } from '../../store/unit-of-work.ts'

/**
 * Changes the address through its emailed link, once, while the session that requested it lives. The link is the proof, so the confirming browser needs no
 * session, and of the account's sessions only that browser's is kept. The former address is reserved for its owner and told how to undo the change.
 * @throws token_invalid
 */
export async function confirmEmailChange(deps: Deps, actor: Actor, input: { token: string }): Promise<User> {
  return transact(deps, actor, async (work) => {
    const token = await consumeToken(work, 'email_change', input.token)
    const user = await lockUser(work, token.user_id as UserId) // the token of an email change belongs to an account
    const session = token.session_id === null ? undefined : await lockSession(work, token.session_id)
    const isAsked = session !== undefined && isLive(session, deps.config, work.now)
    if (user?.is_active !== 1 || !isAsked || (await isTaken(work, token.email, user.id)))
      throw new AuthError('token_invalid')

    await reserveEmail(work, user.email, user.id, undoWindow)
    await moveToEmail(work, user.id, token.email)
    await invalidateTokens(work, { userId: user.id }, ['password_reset', 'verify_email', 'email_change'])
    const keep = userIdOf(actor) === user.id ? sessionIdOf(actor) : null
    const sessionsEnded = await endSessions(work, user.id, keep)
    const notice = { userId: user.id, formerEmail: user.email, newEmail: token.email, since: token.since ?? 0 }
    await requestMail(work, 'email_changed', notice)
    await record(work, 'email.changed', user.id, { sessions_ended: sessionsEnded })
    return loadUser(work.db, { ...user, email: token.email, email_verified_at: work.now })
  })
}

/**
 * Restores the former address of the account through the link emailed to it, which works once. Puts the account into recovery, since the person who changed
 * the address may know the password.
 * @throws token_invalid
 */
export async function undoEmailChange(deps: Deps, actor: Actor, input: { token: string }): Promise<void> {
  await transact(deps, actor, async (work) => {
    const token = await consumeToken(work, 'email_change_undo', input.token)
    const user = await lockUser(work, token.user_id as UserId) // the token of an undo belongs to an account
    if (!user) throw new AuthError('token_invalid')

    await startRecovery(work, user, token, 'email_change')
    await record(work, 'email_change.undone', user.id, {})
  })
}

async function isTaken(work: Work, email: string, userId: UserId): Promise<boolean> {
  const owner = await findEmailOwner(work.db, email, work.now)
  return owner !== undefined && owner.id !== userId
}
