import { assertMayAsk, mayMailTo } from '../../domain/asks.ts'
import { record } from '../../domain/audit.ts'
import type { Deps } from '../../domain/deps.ts'
import { findDeviceOfAddress } from '../../domain/devices.ts'
import { type Email, parseEmail } from '../../domain/identifiers/email.ts'
import { deviceMailBudgets, resetReserve, spendAll } from '../../domain/limits.ts'
import { requestMail } from '../../domain/outbox.ts'
import type { Actor } from '../../kernel/actor.ts'
import { transact, type Work } from '../../store/unit-of-work.ts'

/** Requests a reset link. The answer, the work and the rows are the same whether or not the address is known. @throws input_invalid, rate_limited */
export async function requestPasswordReset(deps: Deps, actor: Actor, input: { email: string }): Promise<void> {
  const email = parseEmail('email', input.email)
  await assertMayAsk(deps, actor, 'mail', [email, email])
  const device = await findDeviceOfAddress(deps, actor, email)

  await transact(deps, actor, async (work) => {
    const may = await mayMail(deps, work, email, device)
    if (may) await requestMail(work, 'password_reset', { email, ...(may === 'reserve' && { onlyAccount: true }) })
    await record(work, 'password_reset.requested', null, {})
  })
}

/**
 * Returns whether the budgets allow the email. A known device has budgets of its own. Others share those of the mailbox; beyond them an account gets one link
 * an hour, which strangers can request but not use up: it counts by the whole address, since a link sent to another `+tag` may reach no one. Addresses without
 * an account then get nothing; otherwise a mailbox would receive one email for each form of its address.
 */
async function mayMail(
  deps: Deps,
  work: Work,
  email: Email,
  device: string | undefined,
): Promise<false | 'budget' | 'reserve'> {
  const isOwn = device !== undefined && (await spendAll(deps, work, deviceMailBudgets, `device ${device} ${email}`))
  if (isOwn) return 'budget'

  const withinBudgets = await mayMailTo(deps, work, email)
  const isFirstOfHour = await spendAll(deps, work, [resetReserve], email)
  if (withinBudgets) return 'budget'
  return isFirstOfHour && 'reserve'
}
