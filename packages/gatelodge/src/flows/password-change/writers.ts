import { type MailWriter, mailContext } from '../../domain/outbox.ts'
import { issueUndoLink } from '../../domain/recovery.ts'
import { findLanguage, findUser, greetingName } from '../../domain/users.ts'
import { passwordChangedMail } from './mail.ts'

/** Tells an owner that the password was changed or reset, with the way back. */
export const writePasswordChangedMail: MailWriter<'password_changed'> = async (deps, work, { userId, at }) => {
  const user = await findUser(work.db, userId)
  if (user?.is_active !== 1) return null

  const undo = await issueUndoLink(deps, work, user, at)
  const context = mailContext(deps.config, await findLanguage(work.db, user.id))
  const mail = passwordChangedMail(context, { name: greetingName(user), at, undo })
  return { to: user.email, mail }
}
