import type { Instant } from '../kernel/clock.ts'

/** A mail as the development mailbox keeps it. */
export interface MailboxEntry {
  readonly id: string
  readonly kind: string
  readonly to: string
  readonly from: string
  readonly subject: string
  readonly date: Instant
  readonly html: string
  readonly text: string
}

/** Where mails go while no mail server is set. */
export interface DevelopmentMailbox {
  /** The newest first. */
  entries(): readonly MailboxEntry[]
  find(id: string): MailboxEntry | undefined
}
