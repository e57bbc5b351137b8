import type { Mailbox, Smtp } from '../config.ts'
import type { DevelopmentMailbox, MailboxEntry } from '../domain/mailbox.ts'
import { type Clock, minute, second } from '../kernel/clock.ts'
import { isLoopbackHost } from '../kernel/loopback.ts'
import { oneLine } from '../pages/mail-layout.ts'

/** A mail ready to be sent. */
export interface OutgoingMail {
  readonly id: string
  readonly kind: string
  /** Including its angle brackets (RFC 5322, section 3.6.4). */
  readonly messageId: string
  readonly from: Mailbox
  readonly to: string
  readonly subject: string
  readonly html: string
  readonly text: string
}

/** Sends mails. */
export interface MailTransport {
  /** Resolves once a mail server has accepted responsibility for the mail; fails within `longestHandOver`. @throws MailRefused */
  send(message: OutgoingMail): Promise<void>
  /** Aborts everything in progress. */
  close(): Promise<void>
}

/** Thrown when a mail was not accepted. The message contains the reply code and the SMTP command, never an address or a secret. */
export class MailRefused extends Error {
  /** Whether retrying the same mail would fail again. */
  readonly permanent: boolean

  constructor(reason: string, permanent: boolean, cause: unknown) {
    super(reason, { cause })
    this.name = 'MailRefused'
    this.permanent = permanent
  }
}

/** Mails sent simultaneously by one process. */
export const parallelDeliveries = 10

const timeouts = { connectionTimeout: 10 * second, greetingTimeout: 10 * second, socketTimeout: 30 * second }
/** In ms. Needed because a server that trickles its replies never reaches the socket timeout. */
export const longestHandOver = 2 * minute

/**
 * Sends mails to a mail server over a few persistent connections and greets it as `name` (RFC 5321, section 4.1.1.1). Verifies TLS certificates, except on
 * loopback.
 */
export function smtpTransport(smtp: Smtp, name: string): MailTransport & { verify(): Promise<void> } {
  let pool: ReturnType<typeof openPool> | undefined
  const open = () => {
    pool ??= openPool(smtp, name)
    return pool
  }

  return {
    async send({ messageId, from, to, subject, html, text }) {
      // Objects, since nodemailer would parse a text as a list of addresses.
      const recipient = { name: '', address: to }
      const message = { messageId, from, to: recipient, subject, html, text }
      const envelope = { from: { name: '', address: from.address }, to: [recipient] }
      const headers = { 'Auto-Submitted': 'auto-generated' } // RFC 3834: suppresses automatic replies
      const signal = AbortSignal.timeout(longestHandOver)
      try {
        await (await open()).sendMail({ ...message, envelope, headers, signal })
      } catch (error) {
        throw refusal(error)
      }
    },
    /** Connects and authenticates without sending. @throws MailRefused */
    async verify() {
      try {
        await (await open()).verify()
      } catch (error) {
        throw refusal(error)
      }
    },
    async close() {
      if (pool) (await pool).close({ force: true })
    },
  }
}

/** Loads the mail library on first use, since it costs startup time and memory that servers without mails need not pay. */
async function openPool(smtp: Smtp, name: string) {
  const { createTransport } = await import('nodemailer')
  return createTransport({
    pool: true,
    maxConnections: parallelDeliveries,
    maxRequeues: 0, // after a lost connection the outbox retries, with its own pauses
    name, // the default, the name of the machine, would be [127.0.0.1] in every container
    host: smtp.host,
    port: smtp.port,
    secure: smtp.secure,
    ...(smtp.auth && { auth: smtp.auth }),
    requireTLS: smtp.tls === 'required',
    opportunisticTLS: smtp.tls === 'opportunistic',
    ignoreTLS: smtp.tls === 'never',
    tls: { rejectUnauthorized: !isLoopbackHost(smtp.host) },
    ...timeouts,
    disableFileAccess: true,
    disableUrlAccess: true,
  })
}

const mailsKept = 200

/** Keeps the newest 200 mails in memory for the development mailbox, and announces each with its first link. */
export function mailboxTransport(deps: {
  clock: Clock
  announce: (line: string) => void
}): MailTransport & DevelopmentMailbox {
  const entries: MailboxEntry[] = []

  return {
    async send({ id, kind, from, to, subject, html, text }) {
      const sender = from.name === '' ? from.address : `${from.name} <${from.address}>`
      const known = entries.findIndex((entry) => entry.id === id)
      if (known >= 0) entries.splice(known, 1)
      entries.unshift({ id, kind, from: sender, to, subject, html, text, date: deps.clock.now() })
      entries.splice(mailsKept)

      const link = /^https?:\/\/\S+$/m.exec(text)?.[0]
      deps.announce(oneLine(`Mail to ${to}: ${subject} ${link ?? ''}`))
    },
    async close() {},
    entries: () => entries,
    find: (id) => entries.find((entry) => entry.id === id),
  }
}

/** What nodemailer reports about a failure. Its message may quote the address or the server's reply and is not used. */
interface SmtpFailure {
  readonly code?: unknown
  readonly command?: unknown
  readonly responseCode?: unknown
  readonly response?: unknown
}

function refusal(error: unknown): MailRefused {
  const { code, command, responseCode, response } = error as SmtpFailure
  const reply = typeof responseCode === 'number' ? responseCode : undefined
  const enhanced = /^\d{3}[ -]([245]\.\d{1,3}\.\d{1,3})\s/.exec(String(response))?.[1] // enhanced status code, RFC 3463
  const what = [reply ?? code ?? 'failure', enhanced].filter((part) => part !== undefined).join(' ')
  const reason = typeof command === 'string' ? `${what} at ${command}` : what
  return new MailRefused(reason, isPermanent(code, command, reply), error)
}

// Only replies about this recipient or this message are permanent. The operator has to fix a rejected sign-in, sender or STARTTLS.
function isPermanent(code: unknown, command: unknown, reply: number | undefined): boolean {
  const aboutTheMail = (code === 'EENVELOPE' || code === 'EMESSAGE') && (command === 'RCPT TO' || command === 'DATA')
  const aboutTheSession = reply === 503 || reply === 530 // bad sequence; authentication required (RFC 4954)
  return aboutTheMail && reply !== undefined && reply >= 500 && reply < 600 && !aboutTheSession
}
