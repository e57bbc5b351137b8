import { record } from '../domain/audit.ts'
import type { Deps } from '../domain/deps.ts'
import {
  type AddressedMail,
  type MailKind,
  type MailWriters,
  readMailRequest,
  type SealedMail,
} from '../domain/outbox.ts'
import { mailWriters } from '../flows/mails.ts'
import { systemActor } from '../kernel/actor.ts'
import { hour, second } from '../kernel/clock.ts'
import type { Random } from '../kernel/random.ts'
import type { MailRow } from '../store/schema.ts'
import { transact, type Work } from '../store/unit-of-work.ts'
import { longestPause, type MailClaims } from './mail-claims.ts'

/** How long delivery of a mail is attempted, in ms from its request. */
export const givenUpAfter = 24 * hour

/** The result of sending a mail. */
export type Outcome = 'delivered' | { readonly error: string; readonly permanent: boolean }

/** A mail ready to be sent, with its row. */
export interface WrittenRow {
  readonly row: MailRow
  readonly mail: AddressedMail
}

const actor = systemActor('job', 'mail-delivery')
const firstPause = 5 * second

/**
 * Writes a claimed mail, in one transaction with its link, unless an earlier attempt has done so. Returns undefined if there is nothing to send; the row is
 * marked then.
 */
export async function readyMail(deps: Deps, claims: MailClaims, row: MailRow): Promise<WrittenRow | undefined> {
  const written = row.state === 'requested' ? await writeOrPutOff(deps, claims, row) : row
  if (!written) return undefined

  const sealed = openMail(deps, written)
  if (sealed) return { row: written, mail: sealed }

  await markMail(deps, claims, row, { error: 'mail cannot be read', permanent: true })
  return undefined
}

/** Stores the outcome of a mail and releases its claim. Does nothing if another process has claimed the mail, since that process will store its own outcome. */
export async function markMail(deps: Deps, claims: MailClaims, row: MailRow, outcome: Outcome): Promise<void> {
  const isOurs = await transact(deps, actor, (work) => mark(deps, claims, work, row, outcome))
  if (!isOurs) deps.log.warn({ job: 'mail', mail: row.id, kind: row.kind }, 'a mail was taken over by another process')
}

async function writeOrPutOff(deps: Deps, claims: MailClaims, row: MailRow): Promise<MailRow | undefined> {
  try {
    return await transact(deps, actor, (work) => write(deps, claims, work, row))
  } catch (err) {
    if (err instanceof TakenOver) return undefined

    deps.log.error({ job: 'mail', mail: row.id, kind: row.kind, err }, 'a mail could not be written')
    await markMail(deps, claims, row, { error: 'not written', permanent: false })
    return undefined
  }
}

/** Rolls back a unit of work, including the new link, because another process has claimed the mail. */
class TakenOver extends Error {}

async function write(deps: Deps, claims: MailClaims, work: Work, row: MailRow): Promise<MailRow | undefined> {
  const request = work.keyring.open('mail', row.sealed ?? '', row.id)
  if (request === undefined || !isMailKind(row.kind)) {
    await mark(deps, claims, work, row, { error: 'request cannot be read', permanent: true })
    return undefined
  }

  const written = await writeMail(deps, work, row.kind, request)
  if (written === null) {
    const end = { state: 'dropped', sealed: null, finished_at: work.now } as const
    if (!(await claims.update(work, row.id, end, 'release'))) throw new TakenOver()
    return undefined
  }
  const sealed = work.keyring.seal('mail', JSON.stringify({ ...written, request } satisfies SealedMail), row.id)
  if (!(await claims.update(work, row.id, { state: 'sending', sealed }))) throw new TakenOver()
  return { ...row, state: 'sending', sealed }
}

function writeMail<Kind extends MailKind>(deps: Deps, work: Work, kind: Kind, request: string) {
  const writers: MailWriters = mailWriters
  return writers[kind](deps, work, readMailRequest(request))
}

function isMailKind(kind: string): kind is MailKind {
  return Object.hasOwn(mailWriters, kind)
}

function openMail(deps: Deps, row: MailRow): SealedMail | undefined {
  const sealed = deps.keyring.open('mail', row.sealed ?? '', row.id)
  return sealed === undefined ? undefined : (JSON.parse(sealed) as SealedMail) // sealed by `write`
}

async function mark(deps: Deps, claims: MailClaims, work: Work, row: MailRow, outcome: Outcome): Promise<boolean> {
  const attempts = row.attempts + 1
  if (outcome === 'delivered') {
    const end = { state: 'delivered', sealed: null, finished_at: work.now, attempts, last_error: null } as const
    const isOurs = await claims.update(work, row.id, end, 'release')
    if (isOurs) await record(work, 'mail.delivered', null, { kind: row.kind })
    return isOurs
  }

  const next = work.now + pauseAfter(attempts, work.random)
  const tried = { attempts, last_error: outcome.error }
  if (!outcome.permanent && next <= row.created_at + givenUpAfter)
    return claims.update(work, row.id, { ...tried, next_attempt_at: next }, 'release')

  const end = { ...tried, state: 'failed', sealed: sealedRequest(deps, row), finished_at: work.now } as const
  const isOurs = await claims.update(work, row.id, end, 'release')
  if (isOurs) await record(work, 'mail.failed', null, { kind: row.kind })
  return isOurs
}

/** Returns the sealed request without the rendered mail and its link, or null if it cannot be read. */
function sealedRequest(deps: Deps, row: MailRow): string | null {
  if (row.state === 'requested') return row.sealed

  const request = openMail(deps, row)?.request
  return request === undefined ? null : deps.keyring.seal('mail', request, row.id)
}

/**
 * Returns the pause before the next attempt, in ms: 5 s, doubling up to 15 min, varied by up to a fifth so that mails that failed together are not retried
 * together.
 */
function pauseAfter(attempts: number, random: Random): number {
  const pause = Math.min(firstPause * 2 ** Math.min(attempts - 1, 30), longestPause)
  const jitter = 0.8 + 0.4 * (random.bytes(4).readUInt32BE() / 0xffff_ffff)
  return Math.round(pause * jitter)
}
