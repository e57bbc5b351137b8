import type { Instant } from '../../kernel/clock.ts'
import { localeOf } from '../../kernel/languages.ts'
import {
  exactTime,
  type MailContext,
  type RenderedMail,
  securityMail,
  type TimedLink,
} from '../../pages/mail-layout.ts'
import { passwordChangeWords } from './words/index.ts'

export interface PasswordChangedMail {
  readonly name: string
  readonly at: Instant
  readonly undo: TimedLink
}

/** Renders the email that notifies the owner of an account that its password was changed or reset, and what to do if someone else did it. */
export function passwordChangedMail(context: MailContext, data: PasswordChangedMail): RenderedMail {
  const words = passwordChangeWords[context.language].mails.changed

  return securityMail(context, words, {
    name: data.name,
    event: words.body(context.serviceName, exactTime(data.at, localeOf(context.language))),
    wayBack: data.undo,
  })
}
