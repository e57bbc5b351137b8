import type { Instant } from '../kernel/clock.ts'
import { localeOf } from '../kernel/languages.ts'
import { exactTime, type MailContext, mailDocument, type RenderedMail } from './mail-layout.ts'
import { pageWords } from './words/index.ts'

/** Renders the email with which an administrator tests the mail settings. */
export function testMail(context: MailContext, data: { readonly at: Instant }): RenderedMail {
  const words = pageWords[context.language].trialMail

  return mailDocument(context, {
    subject: words.subject(context.serviceName),
    preheader: words.preheader,
    blocks: [
      { kind: 'paragraph', text: words.body(context.serviceName) },
      { kind: 'note', text: words.sentAt(exactTime(data.at, localeOf(context.language))) },
    ],
    footer: words.footer,
  })
}
