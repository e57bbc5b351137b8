import type { Instant } from '../../kernel/clock.ts'
import { localeOf } from '../../kernel/languages.ts'
import {
  exactTime,
  type LinkMail,
  linkMail,
  type MailContext,
  mailDocument,
  oneLine,
  type RenderedMail,
  securityMail,
} from '../../pages/mail-layout.ts'
import { emailChangeWords } from './words/index.ts'

/** Renders the email that proves the new address of an account. Sent to the new address. */
export function confirmNewEmailMail(context: MailContext, data: LinkMail): RenderedMail {
  return linkMail(context, emailChangeWords[context.language].mails.confirm, data)
}

export interface EmailChangeRequestedMail {
  readonly name: string
  /** For example `a***@example.org`. */
  readonly maskedNewEmail: string
  readonly at: Instant
  readonly forgotLink: string
}

/** Renders the email that notifies the current address of an account that a change was requested. Contains no token. */
export function emailChangeRequestedMail(context: MailContext, data: EmailChangeRequestedMail): RenderedMail {
  const { requested: words, notice } = emailChangeWords[context.language].mails

  return securityMail(context, words, {
    name: data.name,
    event: words.body(context.serviceName, exactTime(data.at, localeOf(context.language))),
    facts: [[notice.newAddress, oneLine(data.maskedNewEmail)]],
    wayBack: { link: data.forgotLink },
    wayBackWords: words,
  })
}

export interface EmailChangeNoticeMail {
  readonly name: string
  /** For example `a***@example.org`. */
  readonly maskedNewEmail: string
  readonly undoLink: string
  /** In ms. */
  readonly ttl: number
  readonly expiresAt: Instant
}

/** Renders the email that notifies the former address of an account that it was changed, with the link that undoes the change. */
export function emailChangeNoticeMail(context: MailContext, data: EmailChangeNoticeMail): RenderedMail {
  const words = emailChangeWords[context.language].mails.notice

  return securityMail(context, words, {
    name: data.name,
    event: words.body(context.serviceName),
    facts: [[words.newAddress, oneLine(data.maskedNewEmail)]],
    wayBack: { link: data.undoLink, ttl: data.ttl, expiresAt: data.expiresAt },
    wayBackWords: words,
  })
}

/** Renders the email that notifies the owner of an address that someone tried to move another account to it. Sent instead of a link. */
export function addressInUseMail(context: MailContext, data: { readonly name: string }): RenderedMail {
  const words = emailChangeWords[context.language].mails.addressInUse

  return mailDocument(context, {
    subject: words.subject(context.serviceName),
    preheader: words.preheader,
    name: data.name,
    blocks: [
      { kind: 'paragraph', text: words.body(context.serviceName) },
      { kind: 'note', text: words.notYou },
    ],
    footer: words.footer,
  })
}

export interface EmailRestoredMail {
  readonly name: string
  readonly resetLink: string
  /** In ms. */
  readonly ttl: number
  readonly expiresAt: Instant
}

/** Renders the email that notifies the restored address that the change was undone, with the link to choose a new password. */
export function emailRestoredMail(context: MailContext, { resetLink, ...data }: EmailRestoredMail): RenderedMail {
  return linkMail(context, emailChangeWords[context.language].mails.restored, { ...data, link: resetLink })
}
