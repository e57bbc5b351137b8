import type { Deps } from '../../domain/deps.ts'
import type { Actor } from '../../kernel/actor.ts'
import type { MailRow, MailState } from '../../store/schema.ts'

export const mailStates = [
  'requested',
  'sending',
  'delivered',
  'dropped',
  'failed',
] as const satisfies readonly MailState[]

/** A mail of the outbox as administrators see it: without its address and text, which are encrypted. */
export type ListedMail = Omit<MailRow, 'sealed' | 'lease' | 'leased_until'>

/** Returns the mails of the outbox, newest first. */
export async function findMails(
  deps: Deps,
  _actor: Actor,
  input: { state?: MailState | undefined; limit: number },
): Promise<ListedMail[]> {
  const mails = deps.store.db
    .selectFrom('mails')
    .select(['id', 'kind', 'state', 'attempts', 'next_attempt_at', 'last_error', 'created_at', 'finished_at'])
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(input.limit)
  return (input.state === undefined ? mails : mails.where('state', '=', input.state)).execute()
}
