import type { Instant } from '../kernel/clock.ts'
import { exactTime, type MailContext, mailDocument, type RenderedMail } from './mail-layout.ts'
import { pageMessages } from './messages.ts'

/** The mail by which an administrator tries the mail settings. */
export function testMail(context: MailContext, data: { readonly at: Instant }): RenderedMail {
  const words = pageMessages.testMail

  return mailDocument(context, {
    subject: words.subject(context.serviceName),
    preheader: words.preheader,
    blocks: [
      { kind: 'paragraph', text: words.body(context.serviceName) },
      { kind: 'note', text: words.sentAt(exactTime(data.at, context.locale)) },
    ],
    footer: words.footer,
  })
}
