import { record } from '../../domain/audit.ts'
import type { Deps } from '../../domain/deps.ts'
import { parseEmail } from '../../domain/identifiers/email.ts'
import { mailBudgets, spendAll } from '../../domain/limits.ts'
import { requestMail } from '../../domain/outbox.ts'
import type { Actor } from '../../kernel/actor.ts'
import { transact } from '../../store/unit-of-work.ts'

/** Asks for a reset link. The answer, the work and the rows are the same whether or not the address is known. @throws input_invalid */
export async function requestPasswordReset(deps: Deps, actor: Actor, input: { email: string }): Promise<void> {
  const email = parseEmail('email', input.email)

  await transact(deps, actor, async (work) => {
    if (await spendAll(deps, work, mailBudgets, email)) await requestMail(work, 'password_reset', { email })
    await record(work, 'password_reset.requested', null, {})
  })
}
