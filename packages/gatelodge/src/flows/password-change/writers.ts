import { linkTo } from '../../domain/links.ts'
import { type MailWriter, mailContext } from '../../domain/outbox.ts'
import { findLanguage, findUser, greetingName } from '../../domain/users.ts'
import { passwordChangedMail } from './mail.ts'

/** Tells an owner that the password was changed or reset. */
export const writePasswordChangedMail: MailWriter<'password_changed'> = async (deps, work, { userId, at }) => {
  const user = await findUser(work.db, userId)
  if (user?.is_active !== 1) return null

  const forgotLink = linkTo(deps.config, '/forgot-password')
  const context = mailContext(deps.config, await findLanguage(work.db, user.id))
  const mail = passwordChangedMail(context, { name: greetingName(user), at, forgotLink })
  return { to: user.email, mail }
}
