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
import { emailChangeMessages } from './messages.ts'

/** Proves the new address of an account; goes to the new address. */
export function confirmNewEmailMail(context: MailContext, data: LinkMail): RenderedMail {
  return linkMail(context, emailChangeMessages[context.language].mails.confirm, data)
}

export interface EmailChangeRequestedMail {
  readonly name: string
  /** Such as `a***@example.org`. */
  readonly maskedNewEmail: string
  readonly at: Instant
  readonly forgotLink: string
}

/** Tells the current address of an account that another one was asked for. It holds no token. */
export function emailChangeRequestedMail(context: MailContext, data: EmailChangeRequestedMail): RenderedMail {
  const { requested: words, notice } = emailChangeMessages[context.language].mails

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
  /** Such as `a***@example.org`. */
  readonly maskedNewEmail: string
  readonly undoLink: string
  /** Milliseconds. */
  readonly ttl: number
  readonly expiresAt: Instant
}

/** Tells the old address of an account that it was changed, with the way back. */
export function emailChangeNoticeMail(context: MailContext, data: EmailChangeNoticeMail): RenderedMail {
  const words = emailChangeMessages[context.language].mails.notice

  return securityMail(context, words, {
    name: data.name,
    event: words.body(context.serviceName),
    facts: [[words.newAddress, oneLine(data.maskedNewEmail)]],
    wayBack: { link: data.undoLink, ttl: data.ttl, expiresAt: data.expiresAt },
    wayBackWords: words,
  })
}

/** Tells the owner of an address that somebody tried to move another account to it; goes out in place of a link. */
export function addressInUseMail(context: MailContext, data: { readonly name: string }): RenderedMail {
  const words = emailChangeMessages[context.language].mails.addressInUse

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
  /** Milliseconds. */
  readonly ttl: number
  readonly expiresAt: Instant
}

/** Tells the restored address that the change was undone and carries the link to a new password. */
export function emailRestoredMail(context: MailContext, { resetLink, ...data }: EmailRestoredMail): RenderedMail {
  return linkMail(context, emailChangeMessages[context.language].mails.restored, { ...data, link: resetLink })
}
