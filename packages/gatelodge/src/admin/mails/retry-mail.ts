import type { Deps } from '../../domain/deps.ts'
import { requestMailAgain, waitingStates } from '../../domain/outbox.ts'
import type { Actor } from '../../kernel/actor.ts'
import { AuthError } from '../../kernel/errors.ts'
import type { MailRow } from '../../store/schema.ts'
import { skipLocked } from '../../store/skip-locked.ts'
import { transact, type Work } from '../../store/unit-of-work.ts'

/**
 * Retries a pending mail now, or writes a failed one again. Takes its id or the end of its id that `mail list` prints. Returns the mail's id, which is a new one
 * for a mail that was written again. @throws not_found if no pending or failed mail has this id, or a failed one cannot be decrypted
 */
export async function retryMail(deps: Deps, actor: Actor, input: { id: string }): Promise<string> {
  const asked = await findWholeId(deps, input.id)
  const id = await transact(
    deps,
    actor,
    async (work) => (await tryNow(work, asked)) ?? (await writeAgain(deps, work, asked)),
  )
  if (id === undefined) {
    const detail = 'No pending or failed mail has that ID. Delivered mails cannot be resent.'
    throw new AuthError('not_found', { detail })
  }
  return id
}

/** Writes all failed mails again, in batches, and returns their new ids. Mails that cannot be decrypted remain. */
export async function retryFailedMails(deps: Deps, actor: Actor): Promise<string[]> {
  const now = deps.clock.now()
  const retried: string[] = []
  let last = ''
  for (;;) {
    const after = last
    const { ids, end } = await transact(deps, actor, async (work) => {
      // A mail that failed after the start has had its retry.
      const rest = failed(work).where('finished_at', '<=', now).where('id', '>', after).orderBy('id').limit(batch)
      const rows = await skipLocked(deps.store, rest).execute()
      const ids = []
      for (const row of rows) ids.push(await requestMailAgain(work, row))
      return { ids, end: rows.at(-1)?.id }
    })
    if (end === undefined) return retried

    last = end
    retried.push(...ids.filter((id) => id !== undefined))
  }
}

const batch = 100

/** Returns the only id with this end, or the text itself. */
async function findWholeId({ store }: Deps, text: string): Promise<string> {
  const end = /^…?([0-9a-f]{12})$/.exec(text)?.[1]
  if (end === undefined) return text

  const mails = store.db.selectFrom('mails').select('id').where('id', 'like', `%-${end}`)
  const [found, ...others] = await mails.limit(2).execute()
  return found && others.length === 0 ? found.id : text
}

async function tryNow(work: Work, id: string): Promise<string | undefined> {
  work.wakeMail()
  const found = await work.db
    .updateTable('mails')
    .set((eb) => ({
      next_attempt_at: work.now,
      // `leased_until` without a lease is a pause while its domain does not respond.
      leased_until: eb.case().when('lease', 'is', null).then(null).else(eb.ref('leased_until')).end(),
    }))
    .where('id', '=', id)
    .where('state', 'in', waitingStates)
    .returning('id')
    .executeTakeFirst()
  return found?.id
}

async function writeAgain(deps: Deps, work: Work, id: string): Promise<string | undefined> {
  const row: MailRow | undefined = await skipLocked(deps.store, failed(work).where('id', '=', id)).executeTakeFirst()
  return row && requestMailAgain(work, row)
}

function failed(work: Work) {
  return work.db.selectFrom('mails').selectAll().where('state', '=', 'failed').where('sealed', 'is not', null)
}
