import { assertMayAsk, mayMailTo } from '../../domain/asks.ts'
import { record } from '../../domain/audit.ts'
import type { Deps } from '../../domain/deps.ts'
import { parseEmail } from '../../domain/identifiers/email.ts'
import { requestMail } from '../../domain/outbox.ts'
import { findNewestPendingSignup } from '../../domain/pending-signups.ts'
import { findUserByEmail } from '../../domain/users.ts'
import type { Actor } from '../../kernel/actor.ts'
import { AuthError } from '../../kernel/errors.ts'
import { parseToken } from '../../kernel/ids.ts'
import { transact } from '../../store/unit-of-work.ts'

/**
 * Sends a new link to an unconfirmed address: for the requesting browser's pending sign-up, otherwise for the newest. In blind mode the answer and the rows are
 * the same for every address; `explicit` says when there is nothing to confirm.
 * @throws input_invalid, rate_limited, user_not_found (explicit)
 */
export async function resendVerification(deps: Deps, actor: Actor, input: { email: string }): Promise<void> {
  const email = parseEmail('email', input.email)
  if (deps.config.enumeration === 'explicit' && !(await hasSomethingToConfirm(deps, email))) {
    throw new AuthError('user_not_found', {
      detail:
        "A user with this e-mail address does not exist. If you registered with this email, ensure you haven't activated it yet. You can check by logging in",
    })
  }

  await assertMayAsk(deps, actor, 'mail', [email, email])
  const signupId = actor.signUpCookie === null ? null : (parseToken(actor.signUpCookie)?.id ?? null)
  await transact(deps, actor, async (work) => {
    if (await mayMailTo(deps, work, email)) await requestMail(work, 'verification', { email, signupId })
    await record(work, 'verification.requested', null, {})
  })
}

async function hasSomethingToConfirm(deps: Deps, email: string): Promise<boolean> {
  const user = await findUserByEmail(deps.store.db, email)
  if (user) return user.email_verified_at === null

  const pending = await findNewestPendingSignup(deps.store.db, email, deps.clock.now())
  return pending !== undefined
}
