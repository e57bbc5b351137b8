import type { Config } from '../config.ts'
import { hour, type Instant } from '../kernel/clock.ts'
import { type SessionId, type UserId, uuidv7 } from '../kernel/ids.ts'
import { type Language, languages } from '../kernel/languages.ts'
import type { MailRow, MailState } from '../store/schema.ts'
import type { ReadDb } from '../store/store.ts'
import type { Work } from '../store/unit-of-work.ts'
import type { Deps } from './deps.ts'
import { nextTurn } from './turns.ts'

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
  /** `onlyAccount`: beyond the budgets of a mailbox an address without an account gets nothing. */
  password_reset: { email: string; onlyAccount?: true }
  /** An account that somebody else made: the link to choose its first password. */
  invitation: { userId: UserId }
  password_changed: { userId: UserId; at: Instant }
  /** `for` says to whom the password is refused; requests of older versions lack it. */
  password_disabled: { userId: UserId; for?: 'stranger' | 'device' | 'session' }
  /**
   * A change asked for: a link to the new address, or a notice to the owner of an account that has it. Void once the asking session ended or the
   * password changed, even while it waits here.
   */
  email_change: {
    userId: UserId
    sessionId: SessionId
    email: string
    passwordChangedAt: Instant | null
    /** When it was asked for; absent in requests of older versions. */
    at?: Instant
  }
  /** The current address is told at the request, without any token. */
  email_change_requested: { userId: UserId; newEmail: string; at: Instant }
  /** A change made: the former address is told and gets the undo link. `since` is when the change was asked for; absent in requests of older versions. */
  email_changed: { userId: UserId; formerEmail: string; newEmail: string; since?: Instant }
  /** An account is in recovery: the link to a new password, which alone opens it. */
  recovery_started: { userId: UserId }
  email_restored: { userId: UserId; email: string }
  new_device: { userId: UserId; sessionId: SessionId; device: string; ip: string | null; at: Instant }
  api_token_created: { userId: UserId; at: Instant; expiresAt: Instant }
  test: { email: string }
  /** A mail of a host program, written there. */
  message: { email: string } & WrittenMail
}

export type MailKind = keyof MailRequests

/** A request as its writer gets it, with the language of whoever asked; null when nobody knows, as in requests of older versions. */
export type MailRequest<Kind extends MailKind> = MailRequests[Kind] & { readonly language: Language | null }

/** A mail ready to send, and the one address it goes to. */
export interface AddressedMail {
  readonly to: string
  readonly mail: WrittenMail
}

/** One subject line and the same content twice. */
export interface WrittenMail {
  readonly subject: string
  readonly html: string
  readonly text: string
}

/** Finds whom a request reaches and writes the mail, its link made in the same unit of work; null when there is nobody to tell. */
export type MailWriter<Kind extends MailKind> = (
  deps: Deps,
  work: Work,
  request: MailRequest<Kind>,
) => Promise<AddressedMail | null>

export type MailWriters = { readonly [Kind in MailKind]: MailWriter<Kind> }

/** Asks for a mail in the unit of work, not to be sent before `dueAt`, and wakes its delivery after the commit. What was asked is sealed in the row and erased on delivery. */
export async function requestMail<Kind extends MailKind>(
  work: Work,
  kind: Kind,
  request: MailRequests[Kind],
  dueAt: Instant = work.now,
): Promise<void> {
  await insertRequest(work, kind, JSON.stringify({ ...request, language: work.actor.language }), dueAt)
}

/** How long a notice waits for its turn at most, in ms. */
export const noticeEvery = hour

/** Asks for a notice to the owner of an account that the unit of work holds: at once, then one an hour. Whatever happens between is told by the next one. */
export async function requestNotice<Kind extends MailKind>(
  deps: Deps,
  work: Work,
  kind: Kind,
  request: MailRequests[Kind] & { readonly userId: UserId },
): Promise<void> {
  const dueAt = await nextTurn(deps, work, { name: `notice.${kind}`, every: noticeEvery }, request.userId)
  if (dueAt !== undefined) await requestMail(work, kind, request, dueAt)
}

/** A request as requestMail sealed it. */
export function readMailRequest<Kind extends MailKind>(request: string): MailRequest<Kind> {
  return { language: null, ...(JSON.parse(request) as MailRequests[Kind]) }
}

/**
 * Asks anew for what a mail that was given up had asked for, in its place: it is written again, since its link may have expired, and is another mail,
 * with an id and a time of its own. Answers the id, or undefined when there is nothing to read.
 */
export async function requestMailAgain(work: Work, failed: MailRow): Promise<string | undefined> {
  const request = work.keyring.open('mail', failed.sealed ?? '', failed.id)
  if (request === undefined) return undefined

  await work.db.deleteFrom('mails').where('id', '=', failed.id).execute()
  return insertRequest(work, failed.kind, request)
}

async function insertRequest(work: Work, kind: string, request: string, dueAt = work.now): Promise<string> {
  work.wakeMail()
  const id = uuidv7(work.clock, work.random)
  await work.db
    .insertInto('mails')
    .values({
      id,
      kind,
      state: 'requested',
      sealed: work.keyring.seal('mail', request, id),
      attempts: 0,
      next_attempt_at: dueAt,
      last_error: null,
      created_at: work.now,
      finished_at: null,
      lease: null,
      leased_until: null,
    })
    .execute()
  return id
}

/** A mail as it is sealed while it is being sent, with its request, from which it is written anew if it is given up and asked for again. */
export interface SealedMail extends AddressedMail {
  readonly request: string
}

/** What every mail says of the service that sends it, and its language. */
export function mailContext(
  config: Pick<Config, 'serviceName' | 'publicUrl' | 'accent'>,
  language: Language | null | undefined,
) {
  const { serviceName, publicUrl, accent } = config
  return { serviceName, publicUrl, accent, language: language ?? languages[0] } as const
}

/** States of mails that are not at their end. */
export const waitingStates = ['requested', 'sending'] as const satisfies readonly MailState[]

/** How the outbox stands. */
export interface MailBacklog {
  /** Mails not delivered yet: `requested`, not written so far, and `sending`. */
  readonly waiting: number
  readonly requested: number
  readonly sending: number
  /** Mails given up. */
  readonly failed: number
  /** For how long the mail that is due longest has been due, in ms; 0 when none is. */
  readonly oldestDue: number
}

/** Looks whether the outbox can be read; what is in it plays no part. */
export async function readOutbox(db: ReadDb): Promise<void> {
  await db.selectFrom('mails').select('id').limit(1).execute()
}

/** Counts what the outbox holds. */
export async function mailBacklog(db: ReadDb, now: Instant): Promise<MailBacklog> {
  const rows = await db
    .selectFrom('mails')
    .select(['state', (eb) => eb.fn.countAll().as('mails'), (eb) => eb.fn.min('next_attempt_at').as('due')])
    .where('state', 'in', [...waitingStates, 'failed'])
    .groupBy('state')
    .execute()

  const count = (counted: MailState) => Number(rows.find(({ state }) => state === counted)?.mails ?? 0)
  const [requested, sending] = [count('requested'), count('sending')]
  const due = rows.filter(({ state }) => state !== 'failed').map((row) => now - Number(row.due))
  return { waiting: requested + sending, requested, sending, failed: count('failed'), oldestDue: Math.max(0, ...due) }
}
