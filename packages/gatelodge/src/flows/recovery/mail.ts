import {
  expirySentence,
  type LinkMail,
  type MailContext,
  mailDocument,
  type RenderedMail,
} from '../../pages/mail-layout.ts'
import { recoveryMessages } from './messages.ts'

/** Tells the owner of an account that it is in recovery, and carries the link to a new password, which alone opens it. */
export function recoveryStartedMail(context: MailContext, data: LinkMail): RenderedMail {
  const words = recoveryMessages[context.language].mails.started

  return mailDocument(context, {
    subject: words.subject(context.serviceName),
    preheader: words.preheader,
    name: data.name,
    blocks: [
      { kind: 'paragraph', text: words.body(context.serviceName) },
      { kind: 'action', label: words.action, url: data.link },
      { kind: 'note', text: expirySentence(data.ttl, data.expiresAt, context.language) },
    ],
    footer: words.footer,
  })
}
