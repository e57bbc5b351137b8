import type { Instant } from '../../kernel/clock.ts'
import { localeOf } from '../../kernel/languages.ts'
import {
  exactTime,
  type MailContext,
  type RenderedMail,
  securityMail,
  type TimedLink,
} from '../../pages/mail-layout.ts'
import { apiTokenWords } from './words/index.ts'

export interface ApiTokenCreatedMail {
  readonly name: string
  readonly at: Instant
  readonly expiresAt: Instant
  readonly tokensLink: string
  readonly undo: TimedLink
}

/** Renders the email that notifies the owner of an account that an API token was created. Does not repeat the token's name, which its creator chose. */
export function apiTokenCreatedMail(context: MailContext, data: ApiTokenCreatedMail): RenderedMail {
  const words = apiTokenWords[context.language].mails.created
  const locale = localeOf(context.language)

  return securityMail(context, words, {
    name: data.name,
    event: words.body(context.serviceName, exactTime(data.at, locale), exactTime(data.expiresAt, locale)),
    wayBack: data.undo,
    look: { text: words.look, url: data.tokensLink },
  })
}
