import type { Deps } from '../../domain/deps.ts'
import { consumeToken, findValidToken } from '../../domain/one-time-tokens.ts'
import { startRecovery } from '../../domain/recovery.ts'
import { lockUser } from '../../domain/user-rows.ts'
import type { Actor } from '../../kernel/actor.ts'
import { AuthError } from '../../kernel/errors.ts'
import type { UserId } from '../../kernel/ids.ts'
import { transact } from '../../store/unit-of-work.ts'

/**
 * Reports "this wasn't me" through the link of a security notice, once: puts the account into recovery for the owner of the address that received the notice.
 * Does not sign in; only an emailed link opens the account again.
 * @throws token_invalid, service_unavailable
 */
export async function undoSecurityChange(deps: Deps, actor: Actor, input: { token: string }): Promise<void> {
  const { user_id } = await findValidToken(deps, ['security_undo'], input.token)
  if (!(await deps.accounts.refresh(deps, user_id as UserId))) throw new AuthError('token_invalid')

  await transact(deps, actor, async (work) => {
    const token = await consumeToken(work, 'security_undo', input.token)
    const user = await lockUser(work, token.user_id as UserId) // the token of a security notice belongs to an account
    if (!user) throw new AuthError('token_invalid')

    await startRecovery(work, user, token, 'security_notice')
  })
}
