import type { MailWriter } from '../../domain/outbox.ts'
import { writeSecurityNotice } from '../../domain/security-notices.ts'
import { passwordChangedMail } from './mail.ts'

/** Notifies an owner that the password was changed or reset, with the link that undoes it. */
export const writePasswordChangedMail: MailWriter<'password_changed'> = (deps, work, request) =>
  writeSecurityNotice(deps, work, request, (context, notice) =>
    passwordChangedMail(context, { ...notice, at: request.at }),
  )
