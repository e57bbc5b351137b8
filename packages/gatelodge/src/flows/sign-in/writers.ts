import { linkTo } from '../../domain/links.ts'
import { type MailWriter, mailContext } from '../../domain/outbox.ts'
import { issueUndoLink } from '../../domain/recovery.ts'
import { findLanguage, findUser, greetingName } from '../../domain/users.ts'
import { newDeviceMail } from './mail.ts'

/** Tells an owner of a sign-in from a device not seen before, with the way back. */
export const writeNewDeviceMail: MailWriter<'new_device'> = async (deps, work, { userId, device, ip, at }) => {
  const user = await findUser(work.db, userId)
  if (user?.is_active !== 1) return null

  const undo = await issueUndoLink(deps, work, user, at)
  const context = mailContext(deps.config, await findLanguage(work.db, user.id))
  const mail = newDeviceMail(context, {
    name: greetingName(user),
    device,
    ip,
    at,
    sessionsLink: linkTo(deps.config, '/account/sessions'),
    undo,
  })
  return { to: user.email, mail }
}
