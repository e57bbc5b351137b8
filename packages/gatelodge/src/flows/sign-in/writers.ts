import { linkTo } from '../../domain/links.ts'
import type { MailWriter } from '../../domain/outbox.ts'
import { writeSecurityNotice } from '../../domain/security-notices.ts'
import { newDeviceMail } from './mail.ts'

/** Writes the notice about a sign-in from a new device, with a link to undo it. */
export const writeNewDeviceMail: MailWriter<'new_device'> = (deps, work, request) =>
  writeSecurityNotice(deps, work, request, (context, notice) => {
    const { device, ip, at } = request
    return newDeviceMail(context, { ...notice, device, ip, at, sessionsLink: linkTo(deps.config, '/account/sessions') })
  })
