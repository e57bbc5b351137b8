import type { Deps } from '../../domain/deps.ts'
import { consumeToken } from '../../domain/one-time-tokens.ts'
import { startRecovery } from '../../domain/recovery.ts'
import { lockUser } from '../../domain/user-rows.ts'
import type { Actor } from '../../kernel/actor.ts'
import { AuthError } from '../../kernel/errors.ts'
import type { UserId } from '../../kernel/ids.ts'
import { transact } from '../../store/unit-of-work.ts'

/**
 * Says "this wasn't me" by the link of a security notice, once: puts the account into recovery for the owner of the address that got the notice.
 * Nobody is signed in by it, and only a mailed link opens the account again. @throws token_invalid
 */
export async function undoSecurityChange(deps: Deps, actor: Actor, input: { token: string }): Promise<void> {
  await transact(deps, actor, async (work) => {
    const token = await consumeToken(work, 'security_undo', input.token)
    const user = await lockUser(work, token.user_id as UserId) // a security notice is an account's
    if (!user) throw new AuthError('token_invalid')

    await startRecovery(work, user, token, 'security_notice')
  })
}
