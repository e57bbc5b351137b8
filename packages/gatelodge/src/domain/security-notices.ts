import type { Instant } from '../kernel/clock.ts'
import type { UserId } from '../kernel/ids.ts'
import type { Work } from '../store/unit-of-work.ts'
import type { Deps } from './deps.ts'
import type { MailedLink } from './mailed-links.ts'
import { type AddressedMail, mailContext, type WrittenMail } from './outbox.ts'
import { issueUndoLink } from './recovery.ts'
import { findLanguage, findUser, greetingName } from './users.ts'

/** What every notice has that can be undone. */
export interface SecurityNotice {
  readonly name: string
  readonly undo: MailedLink
}

/** Writes to an active account what happened to it at `at`, in its language, with the link that undoes what came since; null when there is none to tell. */
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
