import type { Deps } from '../domain/deps.ts'
import { type Instant, second } from '../kernel/clock.ts'
import { createMailClaims } from './mail-claims.ts'
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
interface Hand extends WrittenRow {
  readonly domain: string
  begunAt?: Instant
  outcome?: Outcome
  marking?: true
}

/**
 * Delivers at least once, from any number of processes: a mail is claimed, then written and sealed in its row, in one transaction with its link; then it
 * is handed over; then the row is marked, if the claim is still ours. A process killed before the mark leaves the mail to whoever claims it when the
 * lease has ended, to be sent again with the same Message-ID.
 */
export function createMailDelivery({ deps, transport }: { deps: Deps; transport: MailTransport }): MailDelivery {
  const { log, clock } = deps
  const claims = createMailClaims(deps)
  const inHand = new Map<string, Hand>()
  const underWay = new Set<Promise<void>>()
  let ended = 0
  let timer: NodeJS.Timeout | undefined
  let looking: Promise<unknown> = Promise.resolve()
  let woken = false
  let stopping = false

  function wake(): void {
    if (!timer || woken || stopping) return

    woken = true
    inTurn(() => {
      woken = false
      return look()
    }).catch((err: unknown) => log.error({ job: 'mail', err }, 'the outbox could not be read'))
  }

  async function runDue(): Promise<number> {
    let taken = 0
    for (;;) {
      const before = ended
      taken += await inTurn(look)
      if (ended !== before) continue // it made room that the look may not have seen
      if (underWay.size === 0) return taken
      await Promise.race(underWay)
    }
  }

  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = looking.then(work)
    looking = turn.catch(() => {})
    return turn
  }

  async function look(): Promise<number> {
    await markOutcomes()
    await begin()
    let taken = 0
    while (!stopping && free() > 0) {
      if (inHand.size >= mostInHand && (await makeRoom()) === 0) break
      const rows = await claims.take([...inHand.keys()], Math.min(free(), mostInHand - inHand.size))
      if (rows.length === 0) break

      taken += rows.length
      for (const row of rows) {
        const written = await readyMail(deps, claims, row)
        if (written) inHand.set(row.id, { ...written, domain: domainOf(written.mail.to) })
        await begin()
      }
    }
    return taken
  }

  function free(): number {
    return parallelDeliveries - begun().length
  }

  function begun(): Hand[] {
    return [...inHand.values()].filter((hand) => hand.begunAt !== undefined && !hand.outcome)
  }

  function waiting(): Hand[] {
    return [...inHand.values()].filter((hand) => hand.begunAt === undefined)
  }

  /** Those that were handed over while the database failed: they must be marked, not sent again. */
  async function markOutcomes(): Promise<void> {
    const unmarked = [...inHand.values()].filter((hand) => hand.outcome && !hand.marking)
    const marked = await Promise.allSettled(unmarked.map(mark))
    const failure = marked.find((result) => result.status === 'rejected')
    if (failure) throw failure.reason
  }

  /** Hands over what waits, as far as there is room, in all and in each domain. */
  async function begin(): Promise<void> {
    for (const hand of waiting()) {
      if (stopping || free() <= 0) return
      if (begun().filter(({ domain }) => domain === hand.domain).length >= parallelInDomain) continue

      if (await claims.hold(hand.row)) handOver(hand)
      else inHand.delete(hand.row.id)
    }
  }

  function handOver(hand: Hand): void {
    hand.begunAt = clock.now()
    const delivery = send(hand)
      .then((outcome) => {
        hand.outcome = outcome
        return mark(hand)
      })
      .finally(() => {
        underWay.delete(delivery)
        ended += 1
      })
    underWay.add(delivery)
    const { id } = hand.row
    delivery.then(wake, (err: unknown) => log.error({ job: 'mail', mail: id, err }, 'a mail could not be marked'))
  }

  async function send({ row: { id, kind }, mail: { to, mail } }: Hand): Promise<Outcome> {
    const messageId = `<${id}@${new URL(deps.config.publicUrl).hostname}>`
    try {
      await transport.send({ id, kind, messageId, from: deps.config.mailFrom, to, ...mail })
      return 'delivered'
    } catch (err) {
      if (err instanceof MailRefused) {
        log.warn({ job: 'mail', mail: id, kind, reason: err.message }, 'a mail was not taken')
        return { error: err.message, permanent: err.permanent }
      }
      log.error({ job: 'mail', mail: id, kind, err }, 'a mail could not be handed over')
      return { error: 'not handed over', permanent: false }
    }
  }

  async function mark(hand: Hand): Promise<void> {
    if (!hand.outcome) return

    hand.marking = true
    try {
      await markMail(deps, claims, hand.row, hand.outcome)
      inHand.delete(hand.row.id)
    } finally {
      delete hand.marking
    }
  }

  async function makeRoom(): Promise<number> {
    const late = begun().filter(({ begunAt = 0 }) => clock.now() - begunAt >= hangsAfter)
    const hanging = new Set(late.map(({ domain }) => domain))
    return giveBack(
      waiting().filter(({ domain }) => hanging.has(domain)),
      pauseBehindHanging,
    )
  }

  async function giveBack(hands: readonly Hand[], pause: number): Promise<number> {
    const ids = hands.map(({ row }) => row.id)
    await claims.giveBack(ids, pause)
    for (const id of ids) inHand.delete(id)
    return ids.length
  }

  return {
    wake,
    runDue,
    start() {
      timer = setInterval(wake, second).unref()
      // Its lock says so: the one server of a SQLite file need not wait for the leases of the one before.
      if (deps.store.engine === 'sqlite')
        inTurn(claims.endAll).catch((err: unknown) =>
          log.error({ job: 'mail', err }, 'claims of mails could not be taken back'),
        )
      wake()
    },
    async stop() {
      stopping = true
      clearInterval(timer)
      await looking
      await atMost(patienceAtStop, Promise.allSettled(underWay))
      await transport.close()
      await Promise.allSettled(underWay)
      await giveBack(waiting(), 0).catch((err: unknown) =>
        log.error({ job: 'mail', err }, 'claims were not given back'),
      )
    },
  }
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
