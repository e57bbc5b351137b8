import { record } from '../domain/audit.ts'
import type { Deps } from '../domain/deps.ts'
import type { AddressedMail, MailKind, MailRequests, MailWriters } from '../domain/outbox.ts'
import { mailWriters } from '../flows/mails.ts'
import { innerActor } from '../kernel/actor.ts'
import { hour, minute, second } from '../kernel/clock.ts'
import type { Random } from '../kernel/random.ts'
import type { MailRow } from '../store/schema.ts'
import { transact, type Work } from '../store/unit-of-work.ts'
import { MailRefused, type MailTransport, parallelDeliveries } from './transports.ts'

/** The job that writes and delivers what the outbox holds. */
export interface MailDelivery {
  /** Says that there may be work. Costs nothing when the job has not been started. */
  wake(): void
  /** Looks for work every second from now on, since commands in other processes ask for mails as well. */
  start(): void
  /** Takes no further mail, waits for those under way and closes the transport. */
  stop(): Promise<void>
  /** Handles everything due now, until nothing is left, and answers how many mails were taken in hand. */
  runDue(): Promise<number>
}

/** How long a mail is tried, in ms from its request. */
export const givenUpAfter = 24 * hour

const actor = innerActor('job', 'mail-delivery')
const firstPause = 5 * second
const longestPause = 15 * minute

/** What the transport made of a mail. */
type Outcome = 'delivered' | { readonly error: string; readonly permanent: boolean }

/**
 * Delivers at least once: first the mail is written and sealed in its row, in one transaction with its link; then it is handed over; then the row is
 * marked. A process killed before the mark sends again, with the same Message-ID.
 */
export function createMailDelivery({ deps, transport }: { deps: Deps; transport: MailTransport }): MailDelivery {
  const { log } = deps
  /** Rows worked on in this process. */
  const inHand = new Map<string, Promise<void>>()
  /** Handed over but not marked, because the database failed: they must not go out once a second. */
  const unmarked = new Map<string, Outcome>()
  let timer: NodeJS.Timeout | undefined
  let looking: Promise<void> = Promise.resolve()
  let woken = false
  let stopping = false

  function wake(): void {
    if (!timer || woken || stopping) return

    woken = true
    looking = looking.then(async () => {
      woken = false
      try {
        await takeDue()
      } catch (err) {
        log.error({ job: 'mail', err }, 'the outbox could not be read')
      }
    })
  }

  async function runDue(): Promise<number> {
    let taken = 0
    for (;;) {
      taken += await takeDue()
      if (inHand.size === 0) return taken
      await Promise.race(inHand.values())
    }
  }

  async function takeDue(): Promise<number> {
    const free = parallelDeliveries - inHand.size
    const ids = free > 0 ? await findDue(deps, [...inHand.keys()], free) : []
    // Another look may have come first meanwhile.
    const open = stopping ? [] : ids.filter((id) => !inHand.has(id)).slice(0, parallelDeliveries - inHand.size)
    for (const id of open) take(id)
    return open.length
  }

  function take(id: string): void {
    const delivery = deliver(id).finally(() => inHand.delete(id))
    inHand.set(id, delivery)
    delivery.then(wake, (err: unknown) => log.error({ job: 'mail', mail: id, err }, 'a mail could not be worked on'))
  }

  async function deliver(id: string): Promise<void> {
    const row = await writeIfRequested(deps, id)
    if (!row) return

    const outcome = unmarked.get(id) ?? (await handOver(deps, transport, row))
    unmarked.set(id, outcome)
    await transact(deps, actor, (work) => mark(work, row, outcome))
    unmarked.delete(id)
  }

  return {
    wake,
    runDue,
    start() {
      timer = setInterval(wake, second).unref()
      wake()
    },
    async stop() {
      stopping = true
      clearInterval(timer)
      await looking
      await Promise.allSettled(inHand.values())
      await transport.close()
    },
  }
}

async function findDue(deps: Deps, inHand: readonly string[], limit: number): Promise<string[]> {
  const due = deps.store.db
    .selectFrom('mails')
    .select('id')
    .where('state', 'in', ['requested', 'sending'])
    .where('next_attempt_at', '<=', deps.clock.now())
    .orderBy('next_attempt_at')
    .orderBy('id')
    .limit(limit)
  const rows = await (inHand.length > 0 ? due.where('id', 'not in', inHand) : due).execute()
  return rows.map(({ id }) => id)
}

/** The due row with its mail written and sealed, or undefined when there is nothing to send. */
async function writeIfRequested(deps: Deps, id: string): Promise<MailRow | undefined> {
  const row = await findDueRow(deps, id)
  if (row?.state !== 'requested') return row

  try {
    return await transact(deps, actor, (work) => write(deps, work, row))
  } catch (err) {
    deps.log.error({ job: 'mail', mail: id, kind: row.kind, err }, 'a mail could not be written')
    await transact(deps, actor, (work) => mark(work, row, { error: 'not written', permanent: false }))
    return undefined
  }
}

async function findDueRow(deps: Deps, id: string): Promise<MailRow | undefined> {
  return deps.store.db
    .selectFrom('mails')
    .selectAll()
    .where('id', '=', id)
    .where('state', 'in', ['requested', 'sending'])
    .where('next_attempt_at', '<=', deps.clock.now())
    .executeTakeFirst()
}

async function write(deps: Deps, work: Work, row: MailRow): Promise<MailRow | undefined> {
  const request = work.keyring.open('mail', row.sealed ?? '', row.id)
  if (request === undefined || !isMailKind(row.kind)) {
    await mark(work, row, { error: 'request cannot be read', permanent: true })
    return undefined
  }

  const written = await writeMail(deps, work, row.kind, request)
  if (written === null) {
    await finish(work, row, 'dropped')
    return undefined
  }
  const sealed = work.keyring.seal('mail', JSON.stringify(written), row.id)
  await work.db.updateTable('mails').set({ state: 'sending', sealed }).where('id', '=', row.id).execute()
  return { ...row, state: 'sending', sealed }
}

function writeMail<Kind extends MailKind>(deps: Deps, work: Work, kind: Kind, request: string) {
  const writers: MailWriters = mailWriters
  return writers[kind](deps, work, JSON.parse(request) as MailRequests[Kind]) // sealed by requestMail
}

function isMailKind(kind: string): kind is MailKind {
  return Object.hasOwn(mailWriters, kind)
}

async function handOver(deps: Deps, transport: MailTransport, row: MailRow): Promise<Outcome> {
  const sealed = deps.keyring.open('mail', row.sealed ?? '', row.id)
  if (sealed === undefined) return { error: 'mail cannot be read', permanent: true }

  const { to, mail } = JSON.parse(sealed) as AddressedMail // sealed by write
  const messageId = `<${row.id}@${new URL(deps.config.publicUrl).hostname}>`
  try {
    await transport.send({ id: row.id, kind: row.kind, messageId, from: deps.config.mailFrom, to, ...mail })
    return 'delivered'
  } catch (err) {
    if (!(err instanceof MailRefused)) throw err

    deps.log.warn({ job: 'mail', mail: row.id, kind: row.kind, reason: err.message }, 'a mail was not taken')
    return { error: err.message, permanent: err.permanent }
  }
}

async function mark(work: Work, row: MailRow, outcome: Outcome): Promise<void> {
  const attempts = row.attempts + 1
  if (outcome === 'delivered') {
    await finish(work, row, 'delivered', { attempts, last_error: null })
    await record(work, 'mail.delivered', null, { kind: row.kind })
    return
  }

  const next = work.now + pauseAfter(attempts, work.random)
  const tried = { attempts, last_error: outcome.error }
  if (outcome.permanent || next > row.created_at + givenUpAfter) {
    await finish(work, row, 'failed', tried)
    await record(work, 'mail.failed', null, { kind: row.kind })
    return
  }
  const retry = { ...tried, next_attempt_at: next }
  await work.db.updateTable('mails').set(retry).where('id', '=', row.id).execute()
}

async function finish(
  work: Work,
  row: MailRow,
  state: 'delivered' | 'dropped' | 'failed',
  tried: Partial<Pick<MailRow, 'attempts' | 'last_error'>> = {},
): Promise<void> {
  const end = { state, sealed: null, finished_at: work.now, ...tried }
  await work.db.updateTable('mails').set(end).where('id', '=', row.id).execute()
}

/** 5 s, doubling to 15 min, each within a fifth, so that mails which failed together do not come back together. */
function pauseAfter(attempts: number, random: Random): number {
  const pause = Math.min(firstPause * 2 ** Math.min(attempts - 1, 30), longestPause)
  const jitter = 0.8 + 0.4 * (random.bytes(4).readUInt32BE() / 0xffff_ffff)
  return Math.round(pause * jitter)
}
