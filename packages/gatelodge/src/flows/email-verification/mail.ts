import { type LinkMail, linkMail, type MailContext, mailDocument, type RenderedMail } from '../../pages/mail-layout.ts'
import { emailVerificationWords } from './words/index.ts'

/** Renders the email that proves the address of a pending sign-up. */
export function verificationMail(context: MailContext, data: LinkMail): RenderedMail {
  return linkMail(context, emailVerificationWords[context.language].mails.verification, data)
}

export interface AccountExistsMail {
  readonly name: string
  readonly signInLink: string
  readonly resetLink: string
}

/** Renders the email that notifies the owner of an account that someone signed up with the same address. Sent instead of a link. */
export function accountExistsMail(context: MailContext, data: AccountExistsMail): RenderedMail {
  const words = emailVerificationWords[context.language].mails.accountExists

  return mailDocument(context, {
    subject: words.subject(context.serviceName),
    preheader: words.preheader,
    name: data.name,
    blocks: [
      { kind: 'paragraph', text: words.body(context.serviceName) },
      { kind: 'action', label: words.action, url: data.signInLink },
      { kind: 'link', text: words.forgotten, url: data.resetLink },
      { kind: 'note', text: words.notYou },
    ],
    footer: words.footer,
  })
}

/** Renders the email that welcomes the owner of a new account. */
export function welcomeMail(
  context: MailContext,
  data: { readonly name: string; readonly signInLink: string },
): RenderedMail {
  const words = emailVerificationWords[context.language].mails.welcome

  return mailDocument(context, {
    subject: words.subject(context.serviceName),
    preheader: words.preheader,
    name: data.name,
    blocks: [
      { kind: 'paragraph', text: words.body(context.serviceName) },
      { kind: 'action', label: words.action, url: data.signInLink },
    ],
    footer: words.footer,
  })
}
