import { type LinkMail, linkMail, type MailContext, type RenderedMail } from '../../pages/mail-layout.ts'
import { recoveryWords } from './words/index.ts'

/** Renders the email that tells the owner of an account that it is in recovery, with the link to a new password, the only way to open it. */
export function recoveryStartedMail(context: MailContext, data: LinkMail): RenderedMail {
  return linkMail(context, recoveryWords[context.language].mails.started, data)
}
