import { revokeApiTokens } from '../../domain/api-tokens.ts'
import { record } from '../../domain/audit.ts'
import type { Deps } from '../../domain/deps.ts'
import { distrustDevices, trustDevice } from '../../domain/devices.ts'
import { resetLimit } from '../../domain/limits.ts'
import { consumeToken, findValidToken, invalidateTokens } from '../../domain/one-time-tokens.ts'
import { requestNotice } from '../../domain/outbox.ts'
import { signInDelay } from '../../domain/password-limits.ts'
import { hashKey } from '../../domain/passwords/hash-key.ts'
import { assertNewPasswordAllowed, setPasswordHash } from '../../domain/passwords/set.ts'
import { endRecovery } from '../../domain/recovery.ts'
import { endSessions } from '../../domain/sessions.ts'
import { lockUser, proved, updateUser } from '../../domain/user-rows.ts'
import { findUser } from '../../domain/users.ts'
import type { Actor } from '../../kernel/actor.ts'
import { AuthError } from '../../kernel/errors.ts'
import type { UserId } from '../../kernel/ids.ts'
import type { UserRow } from '../../store/schema.ts'
import { transact, type Work } from '../../store/unit-of-work.ts'

/**
 * Sets a new password through an emailed link, once. Ends every session, invalidates other links and pending changes, and notifies the owner. Does not sign in
 * and never reactivates an account. The link also proves the address. The browser in use becomes the only known device; otherwise strangers who keep failing
 * would delay the sign-in that follows.
 * @throws token_invalid, input_invalid, overloaded
 */
export async function resetPassword(
  deps: Deps,
  actor: Actor,
  input: { token: string; newPassword: string },
): Promise<{ deviceCookie: string }> {
  const token = await findValidToken(deps, ['password_reset', 'recovery'], input.token) // an invalid token must not cost a hash
  const userId = token.user_id as UserId // a reset token belongs to an account
  if (!(await deps.accounts.refresh(deps, userId))) throw new AuthError('token_invalid')
  const seen = await findUser(deps.store.db, userId)
  if (seen?.is_active !== 1 || seen.email !== token.email) throw new AuthError('token_invalid')
  assertNewPasswordAllowed(deps, seen, input.newPassword)
  const key = hashKey(actor, { account: seen.id, place: `link ${token.id}` })
  const hash = await deps.hasher.hash(input.newPassword, key)

  const deviceCookie = await transact(deps, actor, async (work) => {
    await consumeToken(work, token.purpose, input.token)
    const user = await lockUser(work, seen.id)
    if (user?.is_active !== 1 || user.email !== token.email) throw new AuthError('token_invalid')
    // A link that was on its way when the owner started recovery opens nothing.
    if (user.recovery_since !== null && token.purpose !== 'recovery') throw new AuthError('token_invalid')

    await setPasswordHash(deps, work, user.id, hash)
    await endRecovery(work, user)
    await proveAddress(work, user)
    await invalidateTokens(work, { userId: user.id }, ['password_reset', 'recovery', 'verify_email', 'email_change'])
    await distrustDevices(work, user.id)
    await resetLimit(deps, work, signInDelay, [`email ${user.email}`, `username ${user.username}`])
    const sessionsEnded = await endSessions(work, user.id)
    await revokeApiTokens(work, user.id)
    await requestNotice(deps, work, 'password_changed', { userId: user.id, at: work.now })
    await record(work, 'password.reset', user.id, { sessions_ended: sessionsEnded })
    return trustDevice(work, user.id)
  })
  await deps.accounts.passwordWasSet(deps, actor, { userId: seen.id, password: input.newPassword, keep: null })
  return { deviceCookie }
}

async function proveAddress(work: Work, user: UserRow): Promise<void> {
  if (user.email_verified_at !== null) return

  await updateUser(work, user.id, proved(work.now))
  await record(work, 'email.verified', user.id, {})
}
