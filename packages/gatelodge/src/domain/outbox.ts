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
 * The emails that can be requested. A request contains only what was requested. The mail job finds out whom it reaches, if anyone, so that a request about an
 * unknown address leaves the same row as one about a known address.
 */
export interface MailRequests {
  /** A sign-up: a link to its address, or a notice to the owner of an account that has the address. */
  signup: { email: string; signupId: string }
  /** A new link for an unconfirmed address. `signupId` is the pending sign-up of the requesting browser. */
  verification: { email: string; signupId: string | null }
  welcome: { userId: UserId }
  /** With `onlyAccount`, an address without an account gets nothing, because the mailbox's budgets are exhausted. */
  password_reset: { email: string; onlyAccount?: true }
  /** An account created by someone else: the link to choose its first password. */
  invitation: { userId: UserId }
  password_changed: { userId: UserId; at: Instant }
  /** `for` says whose password attempts are rejected. Requests of older versions lack it. */
  password_disabled: { userId: UserId; for?: 'stranger' | 'device' | 'session' }
  /**
   * A requested change: a link to the new address, or a notice to the owner of an account that has it. Void once the requesting session ends or the password
   * changes, even while the request waits here.
   */
  email_change: {
    userId: UserId
    sessionId: SessionId
    email: string
    passwordChangedAt: Instant | null
    /** When it was requested. Absent in requests of older versions. */
    at?: Instant
  }
  /** The notice to the current address when a change is requested. It has no token. */
  email_change_requested: { userId: UserId; newEmail: string; at: Instant }
  /** The notice to the former address after a change, with the undo link. `since` is when the change was requested; absent in requests of older versions. */
  email_changed: { userId: UserId; formerEmail: string; newEmail: string; since?: Instant }
  /** The account is in recovery: the link to a new password, the only way into the account. */
  recovery_started: { userId: UserId }
  email_restored: { userId: UserId; email: string }
  new_device: { userId: UserId; sessionId: SessionId; device: string; ip: string | null; at: Instant }
  api_token_created: { userId: UserId; at: Instant; expiresAt: Instant }
  test: { email: string }
  /** An email of a host program, which wrote it. */
  message: { email: string } & WrittenMail
}

export type MailKind = keyof MailRequests

/** A request as its writer receives it, with the language of the requester; null if unknown, as in requests of older versions. */
export type MailRequest<Kind extends MailKind> = MailRequests[Kind] & { readonly language: Language | null }

/** An email ready to be sent, and its one recipient. */
export interface AddressedMail {
  readonly to: string
  readonly mail: WrittenMail
}

/** A subject line and the same content as text and HTML. */
export interface WrittenMail {
  readonly subject: string
  readonly html: string
  readonly text: string
}

/** Finds out whom a request reaches and writes the email; its link is created in the same unit of work. Returns null if there is no recipient. */
export type MailWriter<Kind extends MailKind> = (
  deps: Deps,
  work: Work,
  request: MailRequest<Kind>,
) => Promise<AddressedMail | null>

export type MailWriters = { readonly [Kind in MailKind]: MailWriter<Kind> }

/**
 * Requests an email in the unit of work and wakes delivery after the commit. It is not sent before `dueAt`. The request is sealed in the row and erased on
 * delivery.
 */
export async function requestMail<Kind extends MailKind>(
  work: Work,
  kind: Kind,
  request: MailRequests[Kind],
  dueAt: Instant = work.now,
): Promise<void> {
  await insertRequest(work, kind, JSON.stringify({ ...request, language: work.actor.language }), dueAt)
}

/** The longest time a notice waits for its turn, in ms. */
export const noticeEvery = hour

/**
 * Requests a notice to the owner of an account that the unit of work has locked: immediately, then at most one an hour. The next notice covers everything that
 * happens in between.
 */
export async function requestNotice<Kind extends MailKind>(
  deps: Deps,
  work: Work,
  kind: Kind,
  request: MailRequests[Kind] & { readonly userId: UserId },
): Promise<void> {
  const dueAt = await nextTurn(deps, work, { name: `notice.${kind}`, every: noticeEvery }, request.userId)
  if (dueAt !== undefined) await requestMail(work, kind, request, dueAt)
}

/** Reads a request that requestMail sealed. */
export function readMailRequest<Kind extends MailKind>(request: string): MailRequest<Kind> {
  return { language: null, ...(JSON.parse(request) as MailRequests[Kind]) }
}

/**
 * Requests a failed email again and replaces it. The email is rewritten, since its link may have expired, and is a new one with its own id and time. Returns
 * the id, or undefined if the request is no longer readable.
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

/** An email as it is sealed while it is being sent, with its request, from which it is rewritten if it fails and is requested again. */
export interface SealedMail extends AddressedMail {
  readonly request: string
}

/** Returns what every email says about the service that sends it, and its language. */
export function mailContext(
  config: Pick<Config, 'serviceName' | 'publicUrl' | 'accent'>,
  language: Language | null | undefined,
) {
  const { serviceName, publicUrl, accent } = config
  return { serviceName, publicUrl, accent, language: language ?? languages[0] } as const
}

/** The states of emails that are not finished. */
export const waitingStates = ['requested', 'sending'] as const satisfies readonly MailState[]

/** The state of the outbox. */
export interface MailBacklog {
  /** Emails not delivered yet: `requested`, which are not written so far, and `sending`. */
  readonly waiting: number
  readonly requested: number
  readonly sending: number
  /** Failed emails. */
  readonly failed: number
  /** How long ago the oldest due email became due, in ms; 0 if none is due. */
  readonly oldestDue: number
}

/** Checks that the outbox can be read; its content does not matter. */
export async function readOutbox(db: ReadDb): Promise<void> {
  await db.selectFrom('mails').select('id').limit(1).execute()
}

/** Counts the emails in the outbox. */
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
