import type { Instant } from '../../kernel/clock.ts'
import { localeOf } from '../../kernel/languages.ts'
import {
  exactTime,
  harmlessText,
  type MailContext,
  type RenderedMail,
  securityMail,
  type TimedLink,
} from '../../pages/mail-layout.ts'
import { signInWords } from './words/index.ts'

export interface NewDeviceMail {
  readonly name: string
  /** Told from the User-Agent header, so it may be anything. */
  readonly device: string
  /** Null when unknown. */
  readonly ip: string | null
  readonly at: Instant
  readonly sessionsLink: string
  readonly undo: TimedLink
}

/** Tells the owner of an account about a sign-in from a device not seen before. */
export function newDeviceMail(context: MailContext, data: NewDeviceMail): RenderedMail {
  const words = signInWords[context.language].mails.newDevice

  return securityMail(context, words, {
    name: data.name,
    event: words.body(context.serviceName),
    facts: [
      [words.device, harmlessText(data.device) ?? words.unknownDevice],
      [words.address, data.ip ?? words.unknownDevice],
      [words.time, exactTime(data.at, localeOf(context.language))],
    ],
    wayBack: data.undo,
    look: { text: words.sessions, url: data.sessionsLink },
  })
}
