import type { Deps } from '../domain/deps.ts'
import { type Instant, second } from '../kernel/clock.ts'
import { createMailClaims, type MailClaims } from './mail-claims.ts'
import { MailRefused, type MailTransport, parallelDeliveries } from './transports.ts'
import { markMail, type Outcome, readyMail, type WrittenRow } from './write-mail.ts'

/** The job that writes and delivers the mails in the outbox. */
export interface MailDelivery {
  /** Signals that there may be mails to deliver. Does nothing if the job has not been started. */
  wake(): void
  /** Starts to check the outbox every second, since commands in other processes request mails too. On SQLite this must be the only server. */
  start(): void
  /** Stops claiming mails, waits up to 10 s for deliveries in progress, releases the other claims and closes the transport. */
  stop(): Promise<void>
  /** Delivers all mails that are due until none is left, and returns how many were claimed. */
  runDue(): Promise<number>
}

/** Mails sent simultaneously to one domain, so that a mail server that hangs leaves room for other domains. */
const parallelInDomain = 3
/** Mails claimed simultaneously: those being sent, and those that wait for other mails to the same domain. */
const mostInFlight = 50
/** When a delivery counts as hanging, in ms. The mails waiting behind it then make room for mails to other domains, and are retried after a pause. */
const hangsAfter = 5 * second
const pauseBehindHanging = 30 * second
const stopTimeout = 10 * second

/** A claimed mail. After it was sent, it stays here with its outcome until its row is marked. */
interface InFlight extends WrittenRow {
  readonly domain: string
  begunAt?: Instant
  outcome?: Outcome
  marking?: true
}

/** The mails claimed by this process, by ID. */
type InFlightMails = Map<string, InFlight>

/** The state of the job in one process. */
interface Delivery {
  readonly deps: Deps
  readonly transport: MailTransport
  readonly claims: MailClaims
  readonly inFlight: InFlightMails
  readonly underWay: Set<Promise<void>>
  /** How many deliveries have finished. */
  ended: number
  timer?: NodeJS.Timeout
  /** Resolves when the last requested check of the outbox has finished. */
  looking: Promise<unknown>
  woken: boolean
  stopping: boolean
}

/**
 * Creates the job, which delivers each mail at least once, with any number of processes. A mail is claimed, then written and sealed in its row, in one
 * transaction with its link; then it is sent; then the row is marked, if the claim is still valid. If a process dies before that, another process claims the
 * mail when the lease expires, and sends it again with the same Message-ID.
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
  // The server lock guarantees that this is the only server on the SQLite file, so it need not wait for the leases of its predecessor.
  if (deps.store.engine === 'sqlite')
    inTurn(delivery, claims.endAll).catch((err: unknown) =>
      deps.log.error({ job: 'mail', err }, 'the mail claims of the previous server could not be ended'),
    )
  wake(delivery)
}

async function stop(delivery: Delivery): Promise<void> {
  const { deps, transport, inFlight, underWay } = delivery
  delivery.stopping = true
  clearInterval(delivery.timer)
  await delivery.looking
  await atMost(stopTimeout, Promise.allSettled(underWay))
  await transport.close()
  await Promise.allSettled(underWay)
  await giveBack(delivery, waiting(inFlight), 0).catch((err: unknown) =>
    deps.log.error({ job: 'mail', err }, 'mail claims could not be released'),
  )
}

async function runDue(delivery: Delivery): Promise<number> {
  let taken = 0
  for (;;) {
    const before = delivery.ended
    taken += await inTurn(delivery, () => look(delivery))
    if (delivery.ended !== before) continue // it made room that the check may have missed
    if (delivery.underWay.size === 0) return taken
    await Promise.race(delivery.underWay)
  }
}

function inTurn<T>(delivery: Delivery, work: () => Promise<T>): Promise<T> {
  const turn = delivery.looking.then(work)
  delivery.looking = turn.catch(() => {})
  return turn
}

/** Claims due mails as far as there is room, and returns how many. */
async function look(delivery: Delivery): Promise<number> {
  const { deps, claims, inFlight } = delivery
  await markOutcomes(delivery)
  await begin(delivery)
  let taken = 0
  while (!delivery.stopping && free(inFlight) > 0) {
    if (inFlight.size >= mostInFlight && (await makeRoom(delivery)) === 0) break
    const rows = await claims.take([...inFlight.keys()], Math.min(free(inFlight), mostInFlight - inFlight.size))
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

/** Marks mails that were sent while the database failed. They must not be sent again. */
async function markOutcomes(delivery: Delivery): Promise<void> {
  const unmarked = [...delivery.inFlight.values()].filter((entry) => entry.outcome && !entry.marking)
  const marked = await Promise.allSettled(unmarked.map((entry) => mark(delivery, entry)))
  const failure = marked.find((result) => result.status === 'rejected')
  if (failure) throw failure.reason
}

/** Sends waiting mails as far as there is room, in total and per domain. */
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
    (err: unknown) =>
      deps.log.error({ job: 'mail', mail: entry.row.id, err }, 'the state of a mail could not be stored'),
  )
}

async function send(deps: Deps, transport: MailTransport, { row: { id, kind }, mail }: InFlight): Promise<Outcome> {
  const messageId = `<${id}@${new URL(deps.config.publicUrl).hostname}>`
  try {
    await transport.send({ id, kind, messageId, from: deps.config.mailFrom, to: mail.to, ...mail.mail })
    return 'delivered'
  } catch (err) {
    if (err instanceof MailRefused) {
      deps.log.warn({ job: 'mail', mail: id, kind, reason: err.message }, 'a mail was not accepted')
      return { error: err.message, permanent: err.permanent }
    }
    deps.log.error({ job: 'mail', mail: id, kind, err }, 'a mail could not be sent')
    return { error: 'not sent', permanent: false }
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

/** Releases the mails that wait behind a hanging delivery, and returns how many. */
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

/** Returns how many deliveries may start. */
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
