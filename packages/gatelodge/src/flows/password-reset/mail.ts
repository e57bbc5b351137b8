import { type LinkMail, linkMail, type MailContext, mailDocument, type RenderedMail } from '../../pages/mail-layout.ts'
import { passwordResetWords } from './words/index.ts'

/** Renders the email with the link with which the owner of an account sets a new password. */
export function resetMail(context: MailContext, data: LinkMail): RenderedMail {
  return linkMail(context, passwordResetWords[context.language].mails.reset, data)
}

/** Renders the email with the link with which an invited user chooses the first password of the account created for them. */
export function invitationMail(context: MailContext, data: LinkMail): RenderedMail {
  return linkMail(context, passwordResetWords[context.language].mails.invitation, data)
}

/** Renders the email that tells the owner of an address that has only unconfirmed sign-ups how to get an account. */
export function registerFirstMail(context: MailContext, data: { readonly registerLink: string }): RenderedMail {
  const words = passwordResetWords[context.language].mails.registerFirst

  return mailDocument(context, {
    subject: words.subject(context.serviceName),
    preheader: words.preheader,
    blocks: [
      { kind: 'paragraph', text: words.body(context.serviceName) },
      { kind: 'action', label: words.action, url: data.registerLink },
      { kind: 'note', text: words.notYou },
    ],
    footer: words.footer,
  })
}

/** Renders the email that tells an owner where too many failures disabled the password: on new devices, or on a known one (NIST SP 800-63B-4, section 3.2.2). */
export function passwordDisabledMail(
  context: MailContext,
  data: { readonly name: string; readonly resetLink: string; readonly where: 'newDevices' | 'oneDevice' },
): RenderedMail {
  const words = passwordResetWords[context.language].mails.passwordDisabled

  return mailDocument(context, {
    subject: words.subject(context.serviceName),
    preheader: words.preheader,
    name: data.name,
    blocks: [
      { kind: 'paragraph', text: words[data.where](context.serviceName) },
      { kind: 'action', label: words.action, url: data.resetLink },
      { kind: 'note', text: words.safe },
    ],
    footer: words.footer,
  })
}
