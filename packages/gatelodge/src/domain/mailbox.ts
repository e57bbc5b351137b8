import type { Instant } from '../kernel/clock.ts'

/** An email as the development mailbox keeps it. */
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

/** Receives emails while no mail server is configured. */
export interface DevelopmentMailbox {
  /** Returns the emails, newest first. */
  entries(): readonly MailboxEntry[]
  find(id: string): MailboxEntry | undefined
}
