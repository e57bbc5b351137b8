import { linkTo } from '../../domain/links.ts'
import { type MailWriter, mailContext } from '../../domain/outbox.ts'
import { findUser, greetingName } from '../../domain/users.ts'
import { newDeviceMail } from './mail.ts'
import { signInMessages } from './messages.ts'

/** Tells an owner of a sign-in from a device not seen before. */
export const writeNewDeviceMail: MailWriter<'new_device'> = async (deps, work, { userId, device, ip, at }) => {
  const user = await findUser(work.db, userId)
  if (user?.is_active !== 1) return null

  const mail = newDeviceMail(mailContext(deps.config), {
    name: greetingName(user),
    device,
    ip: ip ?? signInMessages.newDevice.unknownDevice,
    at,
    sessionsLink: linkTo(deps.config, '/account/sessions'),
    forgotLink: linkTo(deps.config, '/forgot-password'),
  })
  return { to: user.email, mail }
}
