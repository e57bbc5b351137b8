import { mayMailTo } from '../../domain/asks.ts'
import { record } from '../../domain/audit.ts'
import type { Deps } from '../../domain/deps.ts'
import { assertOwnPassword } from '../../domain/factors/password.ts'
import { parseEmail } from '../../domain/identifiers/email.ts'
import { consume, emailChangeBudget } from '../../domain/limits.ts'
import { requestMail, requestNotice } from '../../domain/outbox.ts'
import type { LiveSession } from '../../domain/session-cache.ts'
import { lockCaller } from '../../domain/sessions.ts'
import { getUser } from '../../domain/users.ts'
import type { Actor } from '../../kernel/actor.ts'
import { invalidField } from '../../kernel/errors.ts'
import { transact } from '../../store/unit-of-work.ts'

/**
 * Requests a change of address. Nothing changes until its link is confirmed, while this session lives; the current address is notified immediately. The answer
 * and the rows are the same if the new address has an account, whose owner is notified instead.
 * @throws input_invalid, incorrect_password, token_invalid, rate_limited, overloaded
 */
export async function requestEmailChange(
  deps: Deps,
  actor: Actor,
  me: LiveSession,
  input: { newEmail: string; password: string },
): Promise<void> {
  const email = parseEmail('new_email', input.newEmail)
  const user = await getUser(deps.store.db, me.user.id)
  if (email === user.email) throw invalidField('new_email', 'unchanged', 'This is already your email address')
  await assertOwnPassword(deps, actor, user, input.password)
  await consume(deps, actor, emailChangeBudget, user.id)

  await transact(deps, actor, async (work) => {
    await lockCaller(work, me)
    if (await mayMailTo(deps, work, email)) {
      await requestMail(work, 'email_change', {
        userId: user.id,
        sessionId: me.session.id,
        email,
        passwordChangedAt: user.password_changed_at,
        at: work.now,
      })
    }
    await requestNotice(deps, work, 'email_change_requested', { userId: user.id, newEmail: email, at: work.now })
    await record(work, 'email_change.requested', user.id, {})
  })
}
