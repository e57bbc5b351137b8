import type { Deps } from '../../domain/deps.ts'
import type { Actor } from '../../kernel/actor.ts'
import { AuthError } from '../../kernel/errors.ts'
import { transact } from '../../store/unit-of-work.ts'

/** Tries a waiting mail now in place of later. @throws not_found when no mail of that id waits */
export async function retryMail(deps: Deps, actor: Actor, input: { id: string }): Promise<void> {
  const found = await transact(deps, actor, (work) => {
    work.wakeMail()
    return work.db
      .updateTable('mails')
      .set({ next_attempt_at: work.now })
      .where('id', '=', input.id)
      .where('state', 'in', ['requested', 'sending'])
      .returning('id')
      .executeTakeFirst()
  })
  if (!found) {
    throw new AuthError('not_found', {
      detail:
        'No mail of that id is waiting. What a mail said is erased once it was delivered or given up: ask for it anew.',
    })
  }
}
