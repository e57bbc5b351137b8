import { record } from '../../domain/audit.ts'
import type { Deps } from '../../domain/deps.ts'
import { requestMail } from '../../domain/outbox.ts'
import type { User } from '../../domain/users.ts'
import type { Actor } from '../../kernel/actor.ts'
import { AuthError } from '../../kernel/errors.ts'
import { transact } from '../../store/unit-of-work.ts'
import { getRowNamed, getUserNamed } from './find-users.ts'

/** Mails the owner of an account a link to set a new password. The old password works until it is used. @throws user_not_found, account_inactive */
export async function sendReset(deps: Deps, actor: Actor, input: { who: string }): Promise<User> {
  const row = await getRowNamed(deps, input.who)
  if (row.is_active === 0)
    throw new AuthError('account_inactive', { detail: 'The account is inactive: activate it first' })

  await transact(deps, actor, async (work) => {
    await requestMail(work, 'password_reset', { email: row.email })
    await record(work, 'password_reset.requested', row.id, {})
  })
  return getUserNamed(deps, actor, row.id)
}
