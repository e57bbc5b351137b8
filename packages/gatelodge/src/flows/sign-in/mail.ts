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
  /** Derived from the User-Agent header, so an attacker can choose it. */
  readonly device: string
  /** Null if unknown. */
  readonly ip: string | null
  readonly at: Instant
  readonly sessionsLink: string
  readonly undo: TimedLink
}

/** Renders the mail that warns a user about a sign-in from a new device. */
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
