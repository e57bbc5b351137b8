import { type LinkMail, linkMail, type MailContext, type RenderedMail } from '../../pages/mail-layout.ts'
import { recoveryMessages } from './messages.ts'

/** Renders the email that tells the owner of an account that it is in recovery, with the link to a new password, the only way to open it. */
export function recoveryStartedMail(context: MailContext, data: LinkMail): RenderedMail {
  return linkMail(context, recoveryMessages[context.language].mails.started, data)
}
