import { record } from '../../domain/audit.ts'
import { sessionHolder } from '../../domain/claimants.ts'
import type { Deps } from '../../domain/deps.ts'
import { assertOwnPassword } from '../../domain/factors/password.ts'
import { consume, passwordChangeBudget } from '../../domain/limits.ts'
import { invalidateTokens } from '../../domain/one-time-tokens.ts'
import { requestNotice } from '../../domain/outbox.ts'
import { assertNewPasswordAllowed, setPasswordHash } from '../../domain/passwords/set.ts'
import type { LiveSession } from '../../domain/session-cache.ts'
import { endSessions, lockCaller } from '../../domain/sessions.ts'
import { getUser } from '../../domain/users.ts'
import type { Actor } from '../../kernel/actor.ts'
import { AuthError } from '../../kernel/errors.ts'
import { transact } from '../../store/unit-of-work.ts'

/**
 * Changes the caller's password, ends the other sessions, invalidates emailed links and notifies the owner. At most five times an hour.
 * @throws incorrect_password, input_invalid, token_invalid, rate_limited, overloaded
 */
export async function changePassword(
  deps: Deps,
  actor: Actor,
  me: LiveSession,
  input: { oldPassword: string; newPassword: string },
): Promise<void> {
  const known = await getUser(deps.store.db, me.user.id)
  assertNewPasswordAllowed(deps, known, input.newPassword)
  const seen = await assertOwnPassword(deps, actor, known, input.oldPassword)
  await consume(deps, actor, passwordChangeBudget, seen.id)
  const hash = await deps.hasher.hash(input.newPassword, sessionHolder(actor, seen).hashKey)

  await transact(deps, actor, async (work) => {
    const user = await lockCaller(work, me)
    // A password set in the meantime wins: the one that was proved is no longer the password.
    if (user.password_hash !== seen.password_hash) throw new AuthError('incorrect_password')

    await setPasswordHash(deps, work, user.id, hash)
    await invalidateTokens(work, { userId: user.id }, ['password_reset', 'email_change'])
    const sessionsEnded = await endSessions(work, user.id, me.session.id)
    await requestNotice(deps, work, 'password_changed', { userId: user.id, at: work.now })
    await record(work, 'password.changed', user.id, { sessions_ended: sessionsEnded })
  })
  await deps.accounts.passwordWasSet(deps, actor, { userId: seen.id, password: input.newPassword, keep: me.session.id })
}
