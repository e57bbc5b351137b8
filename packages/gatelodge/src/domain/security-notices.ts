import type { Instant } from '../kernel/clock.ts'
import type { UserId } from '../kernel/ids.ts'
import type { Work } from '../store/unit-of-work.ts'
import type { Deps } from './deps.ts'
import type { MailedLink } from './mailed-links.ts'
import { type AddressedMail, mailContext, type WrittenMail } from './outbox.ts'
import { issueUndoLink } from './recovery.ts'
import { findLanguage, findUser, greetingName } from './users.ts'

/** What every notice of a reversible change has. */
export interface SecurityNotice {
  readonly name: string
  readonly undo: MailedLink
}

/**
 * Writes a notice to an active account about an event at `at`, in the account's language, with a link that undoes what was added since. Returns null if there
 * is no one to notify.
 */
export async function writeSecurityNotice(
  deps: Deps,
  work: Work,
  { userId, at }: { readonly userId: UserId; readonly at: Instant },
  print: (context: ReturnType<typeof mailContext>, notice: SecurityNotice) => WrittenMail,
): Promise<AddressedMail | null> {
  const user = await findUser(work.db, userId)
  if (user?.is_active !== 1) return null

  const undo = await issueUndoLink(deps, work, user, at)
  const context = mailContext(deps.config, await findLanguage(work.db, user.id))
  return { to: user.email, mail: print(context, { name: greetingName(user), undo }) }
}
