import { record } from '../../domain/audit.ts'
import { assertOwnPassword } from '../../domain/authentication.ts'
import type { Deps } from '../../domain/deps.ts'
import { voidTokens } from '../../domain/one-time-tokens.ts'
import { requestMail } from '../../domain/outbox.ts'
import { assertNewPasswordAllowed, setPasswordHash } from '../../domain/passwords/set.ts'
import type { LiveSession } from '../../domain/session-cache.ts'
import { endSessions } from '../../domain/sessions.ts'
import { getUser, lockUser } from '../../domain/users.ts'
import type { Actor } from '../../kernel/actor.ts'
import { AuthError } from '../../kernel/errors.ts'
import { transact } from '../../store/unit-of-work.ts'

/**
 * Changes the caller's password: ends the other sessions, voids mailed links, tells the owner.
 * @throws incorrect_password, input_invalid, rate_limited, overloaded
 */
export async function changePassword(
  deps: Deps,
  actor: Actor,
  me: LiveSession,
  input: { oldPassword: string; newPassword: string },
): Promise<void> {
  const seen = await getUser(deps.store.db, me.user.id)
  assertNewPasswordAllowed(deps, seen, input.newPassword)
  await assertOwnPassword(deps, actor, seen, input.oldPassword)
  const hash = await deps.hasher.hash(input.newPassword, actor.ip ?? '')

  await transact(deps, actor, async (work) => {
    const user = await lockUser(work, seen.id)
    // A reset that happened meanwhile wins: what was proved is no longer the password.
    if (user?.password_hash !== seen.password_hash) throw new AuthError('incorrect_password')

    await setPasswordHash(deps, work, user.id, hash)
    await voidTokens(work, { userId: user.id }, ['password_reset', 'email_change'])
    const sessionsEnded = await endSessions(work, user.id, me.session.id)
    await requestMail(work, 'password_changed', { userId: user.id, at: work.now })
    await record(work, 'password.changed', user.id, { sessions_ended: sessionsEnded })
  })
}
