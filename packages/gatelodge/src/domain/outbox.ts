import { uuidv7, type SessionId, type UserId } from '../kernel/ids.ts'
import type { Instant } from '../kernel/clock.ts'
import type { Work } from '../store/unit-of-work.ts'

/**
 * What may be mailed. A request holds only what was asked; whom it reaches, if anybody, is found by the mail job, so that a request about an
 * unknown address leaves the same row as one about a known address.
 */
export interface MailRequests {
  /** A sign-up: a link to its address, or a notice to the owner of an account that has it. */
  signup: { email: string; signupId: string }
  /** A fresh link for an unconfirmed address; `signupId` is the asking browser's pending sign-up. */
  verification: { email: string; signupId: string | null }
  welcome: { userId: UserId }
  password_reset: { email: string }
  password_changed: { userId: UserId; at: Instant }
  password_disabled: { userId: UserId }
  /** A change asked for: a link to the new address, or a notice to the owner of an account that has it. */
  email_change: { userId: UserId; email: string; at: Instant }
  /** A change made: the former address is told and gets the undo link. */
  email_changed: { userId: UserId; formerEmail: string; newEmail: string }
  email_restored: { userId: UserId; email: string }
  new_device: { userId: UserId; sessionId: SessionId; device: string; ip: string | null; at: Instant }
  test: { email: string }
}

export type MailKind = keyof MailRequests

/** Asks for a mail in the unit of work. What was asked is sealed in the row and erased on delivery. */
export async function requestMail<Kind extends MailKind>(work: Work, kind: Kind, request: MailRequests[Kind]): Promise<void> {
  const id = uuidv7(work.clock, work.random)
  await work.db
    .insertInto('mails')
    .values({
      id,
      kind,
      state: 'requested',
      sealed: work.keyring.seal('mail', JSON.stringify(request), id),
      attempts: 0,
      next_attempt_at: work.now,
      last_error: null,
      created_at: work.now,
      finished_at: null,
    })
    .execute()
}
