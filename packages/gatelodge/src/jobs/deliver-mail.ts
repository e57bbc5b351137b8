import type { Deps } from '../domain/deps.ts'
import { type Instant, second } from '../kernel/clock.ts'
import { createMailClaims, type MailClaims } from './mail-claims.ts'
import { MailRefused, type MailTransport, parallelDeliveries } from './transports.ts'
import { markMail, type Outcome, readyMail, type WrittenRow } from './write-mail.ts'

/** The job that writes and delivers what the outbox holds. */
export interface MailDelivery {
  /** Says that there may be work. Costs nothing when the job has not been started. */
  wake(): void
  /** Looks for work every second from now on, since commands in other processes ask for mails as well. On SQLite it must be the one server. */
  start(): void
  /** Takes no further mail, gives 10 s to those under way, gives the others back and closes the transport. */
  stop(): Promise<void>
  /** Handles everything due now, until nothing is left, and answers how many mails were taken in hand. */
  runDue(): Promise<number>
}

/** Mails handed over at the same time to one domain: a mail server that hangs on its recipients leaves room for all others. */
const parallelInDomain = 3
/** Mails claimed at the same time: those under way, and those that wait for another mail to their domain. */
const mostInHand = 50
/** From when on a hand-over hangs, in ms: then those that wait behind it give room for mails to other domains, and come back after a pause. */
const hangsAfter = 5 * second
const pauseBehindHanging = 30 * second
const patienceAtStop = 10 * second

/** A claimed mail; once handed over it stays in hand, with its outcome, until it is marked. */
interface InFlight extends WrittenRow {
  readonly domain: string
  begunAt?: Instant
  outcome?: Outcome
  marking?: true
}

/** The mails of one process that are claimed, by their ids. */
type InFlightMails = Map<string, InFlight>

/** The job of one process as it stands. */
interface Delivery {
  readonly deps: Deps
  readonly transport: MailTransport
  readonly claims: MailClaims
  readonly inFlight: InFlightMails
  readonly underWay: Set<Promise<void>>
  /** How many hand-overs have ended. */
  ended: number
  timer?: NodeJS.Timeout
  /** Ends when the last look that was asked for has ended. */
  looking: Promise<unknown>
  woken: boolean
  stopping: boolean
}

/**
 * Delivers at least once, from any number of processes: a mail is claimed, then written and sealed in its row, in one transaction with its link; then it
 * is handed over; then the row is marked, if the claim is still ours. A process killed before the mark leaves the mail to whoever claims it when the
 * lease has ended, to be sent again with the same Message-ID.
 */
export function createMailDelivery({ deps, transport }: { deps: Deps; transport: MailTransport }): MailDelivery {
  const delivery: Delivery = {
    deps,
    transport,
    claims: createMailClaims(deps),
    inFlight: new Map(),
    underWay: new Set(),
    ended: 0,
    looking: Promise.resolve(),
    woken: false,
    stopping: false,
  }
  return {
    wake: () => wake(delivery),
    start: () => start(delivery),
    stop: () => stop(delivery),
    runDue: () => runDue(delivery),
  }
}

function wake(delivery: Delivery): void {
  if (!delivery.timer || delivery.woken || delivery.stopping) return

  delivery.woken = true
  inTurn(delivery, () => {
    delivery.woken = false
    return look(delivery)
  }).catch((err: unknown) => delivery.deps.log.error({ job: 'mail', err }, 'the outbox could not be read'))
}

function start(delivery: Delivery): void {
  const { deps, claims } = delivery
  delivery.timer = setInterval(() => wake(delivery), second).unref()
  // Its lock says so: the one server of a SQLite file need not wait for the leases of the one before.
  if (deps.store.engine === 'sqlite')
    inTurn(delivery, claims.endAll).catch((err: unknown) =>
      deps.log.error({ job: 'mail', err }, 'claims of mails could not be taken back'),
    )
  wake(delivery)
}

async function stop(delivery: Delivery): Promise<void> {
  const { deps, transport, inFlight, underWay } = delivery
  delivery.stopping = true
  clearInterval(delivery.timer)
  await delivery.looking
  await atMost(patienceAtStop, Promise.allSettled(underWay))
  await transport.close()
  await Promise.allSettled(underWay)
  await giveBack(delivery, waiting(inFlight), 0).catch((err: unknown) =>
    deps.log.error({ job: 'mail', err }, 'claims were not given back'),
  )
}

async function runDue(delivery: Delivery): Promise<number> {
  let taken = 0
  for (;;) {
    const before = delivery.ended
    taken += await inTurn(delivery, () => look(delivery))
    if (delivery.ended !== before) continue // it made room that the look may not have seen
    if (delivery.underWay.size === 0) return taken
    await Promise.race(delivery.underWay)
  }
}

function inTurn<T>(delivery: Delivery, work: () => Promise<T>): Promise<T> {
  const turn = delivery.looking.then(work)
  delivery.looking = turn.catch(() => {})
  return turn
}

/** Takes in hand what is due and there is room for, and answers how many that were. */
async function look(delivery: Delivery): Promise<number> {
  const { deps, claims, inFlight } = delivery
  await markOutcomes(delivery)
  await begin(delivery)
  let taken = 0
  while (!delivery.stopping && free(inFlight) > 0) {
    if (inFlight.size >= mostInHand && (await makeRoom(delivery)) === 0) break
    const rows = await claims.take([...inFlight.keys()], Math.min(free(inFlight), mostInHand - inFlight.size))
    if (rows.length === 0) break

    taken += rows.length
    for (const row of rows) {
      const written = await readyMail(deps, claims, row)
      if (written) inFlight.set(row.id, { ...written, domain: domainOf(written.mail.to) })
      await begin(delivery)
    }
  }
  return taken
}

/** Those that were handed over while the database failed: they must be marked, not sent again. */
async function markOutcomes(delivery: Delivery): Promise<void> {
  const unmarked = [...delivery.inFlight.values()].filter((entry) => entry.outcome && !entry.marking)
  const marked = await Promise.allSettled(unmarked.map((entry) => mark(delivery, entry)))
  const failure = marked.find((result) => result.status === 'rejected')
  if (failure) throw failure.reason
}

/** Hands over what waits, as far as there is room, in all and in each domain. */
async function begin(delivery: Delivery): Promise<void> {
  const { claims, inFlight } = delivery
  for (const entry of waiting(inFlight)) {
    if (delivery.stopping || free(inFlight) <= 0) return
    if (begun(inFlight).filter(({ domain }) => domain === entry.domain).length >= parallelInDomain) continue

    if (await claims.hold(entry.row)) handOver(delivery, entry)
    else inFlight.delete(entry.row.id)
  }
}

function handOver(delivery: Delivery, entry: InFlight): void {
  const { deps, transport, underWay } = delivery
  entry.begunAt = deps.clock.now()
  const handedOver = send(deps, transport, entry)
    .then((outcome) => {
      entry.outcome = outcome
      return mark(delivery, entry)
    })
    .finally(() => {
      underWay.delete(handedOver)
      delivery.ended += 1
    })
  underWay.add(handedOver)
  handedOver.then(
    () => wake(delivery),
    (err: unknown) => deps.log.error({ job: 'mail', mail: entry.row.id, err }, 'a mail could not be marked'),
  )
}

async function send(deps: Deps, transport: MailTransport, { row: { id, kind }, mail }: InFlight): Promise<Outcome> {
  const messageId = `<${id}@${new URL(deps.config.publicUrl).hostname}>`
  try {
    await transport.send({ id, kind, messageId, from: deps.config.mailFrom, to: mail.to, ...mail.mail })
    return 'delivered'
  } catch (err) {
    if (err instanceof MailRefused) {
      deps.log.warn({ job: 'mail', mail: id, kind, reason: err.message }, 'a mail was not taken')
      return { error: err.message, permanent: err.permanent }
    }
    deps.log.error({ job: 'mail', mail: id, kind, err }, 'a mail could not be handed over')
    return { error: 'not handed over', permanent: false }
  }
}

async function mark({ deps, claims, inFlight }: Delivery, entry: InFlight): Promise<void> {
  if (!entry.outcome) return

  entry.marking = true
  try {
    await markMail(deps, claims, entry.row, entry.outcome)
    inFlight.delete(entry.row.id)
  } finally {
    delete entry.marking
  }
}

/** Gives back what waits behind a hand-over that hangs, and answers how many mails that were. */
async function makeRoom(delivery: Delivery): Promise<number> {
  const { deps, inFlight } = delivery
  const late = begun(inFlight).filter(({ begunAt = 0 }) => deps.clock.now() - begunAt >= hangsAfter)
  const hanging = new Set(late.map(({ domain }) => domain))
  return giveBack(
    delivery,
    waiting(inFlight).filter(({ domain }) => hanging.has(domain)),
    pauseBehindHanging,
  )
}

async function giveBack({ claims, inFlight }: Delivery, some: readonly InFlight[], pause: number): Promise<number> {
  const ids = some.map(({ row }) => row.id)
  await claims.giveBack(ids, pause)
  for (const id of ids) inFlight.delete(id)
  return ids.length
}

/** How many hand-overs may begin. */
function free(inFlight: InFlightMails): number {
  return parallelDeliveries - begun(inFlight).length
}

function begun(inFlight: InFlightMails): InFlight[] {
  return [...inFlight.values()].filter((entry) => entry.begunAt !== undefined && !entry.outcome)
}

function waiting(inFlight: InFlightMails): InFlight[] {
  return [...inFlight.values()].filter((entry) => entry.begunAt === undefined)
}

function domainOf(address: string): string {
  return address.slice(address.lastIndexOf('@') + 1)
}

async function atMost(time: number, work: Promise<unknown>): Promise<void> {
  const { promise: over, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, time)
  await Promise.race([work, over])
  clearTimeout(timer)
}
