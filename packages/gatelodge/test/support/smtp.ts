import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import PostalMime, { type Email } from 'postal-mime'
import { SMTPServer } from 'smtp-server'
import type { Smtp } from '../../src/config.ts'

/** An email as the server received it: its envelope, its bytes and what a mail program reads in them. */
export interface ReceivedMail {
  readonly sender: string
  readonly recipients: readonly string[]
  readonly raw: string
  readonly parsed: Email
  readonly encrypted: boolean
  /** The name that the client gave in its greeting. */
  readonly greetedAs: string
}

export interface SmtpOptions {
  readonly startTls?: boolean
  readonly account?: { readonly user: string; readonly pass: string }
  /** A loopback port; any free one if omitted. */
  readonly port?: number
  /** Returns a rejection such as `550 5.1.1 Unknown` for a step, or undefined. May wait before it answers. */
  readonly answer?: (step: Step, address: string) => string | undefined | Promise<string | undefined>
  /** Called after an email was accepted and before its sender is told so. */
  readonly beforeReply?: (mail: ReceivedMail) => Promise<void>
  /** Returns whether to hang up in the middle of an email. */
  readonly hangsUp?: () => boolean
}

/** `CONNECT` is the greeting, whose address is empty. */
type Step = 'CONNECT' | 'MAIL FROM' | 'RCPT TO' | 'DATA'

export interface SmtpTestServer {
  readonly smtp: Smtp
  readonly received: readonly ReceivedMail[]
  /** Returns how often a client began to send an email. */
  readonly tries: () => number
  /** Returns how often a client connected. */
  readonly connections: () => number
  close(): Promise<void>
}

/** Reads an email. Returns false if the client disconnected in the middle. */
async function readInto(chunks: Buffer[], stream: AsyncIterable<Buffer>): Promise<boolean> {
  try {
    for await (const chunk of stream) chunks.push(chunk)
    return true
  } catch {
    return false // some tests kill a client in the middle of an email
  }
}

/** Starts a real SMTP server on loopback that keeps what it receives. Its certificate is self-signed. */
export async function smtpServer(options: SmtpOptions = {}): Promise<SmtpTestServer> {
  const { startTls = false, account, port = 0, answer = () => undefined, beforeReply, hangsUp = () => false } = options
  const received: ReceivedMail[] = []
  let tries = 0
  let connections = 0

  const server = new SMTPServer({
    disabledCommands: [...(startTls ? [] : ['STARTTLS']), ...(account ? [] : ['AUTH'])],
    authOptional: account === undefined,
    allowInsecureAuth: true,
    disableReverseLookup: true,
    closeTimeout: 100,
    onAuth({ username, password }, _session, done) {
      if (username === account?.user && password === account?.pass) done(null, { user: username })
      else done(refusal('535 5.7.8 Wrong password'))
    },
    onConnect(_session, done) {
      connections += 1
      void ask('CONNECT', '', done)
    },
    onMailFrom({ address }, _session, done) {
      tries += 1
      void ask('MAIL FROM', address, done)
    },
    onRcptTo({ address }, _session, done) {
      void ask('RCPT TO', address, done)
    },
    async onData(stream, session, done) {
      const chunks: Buffer[] = []
      if (hangsUp()) {
        await once(stream, 'data')
        for (const connection of server.connections) connection.close()
        return
      }

      const isWhole = await readInto(chunks, stream)
      if (!isWhole) return
      const { mailFrom, rcptTo } = session.envelope
      const recipients = rcptTo.map(({ address }) => address)
      const refused = await answer('DATA', recipients.join())
      if (refused !== undefined) return done(refusal(refused))

      const raw = Buffer.concat(chunks).toString('utf8')
      const parsed = await PostalMime.parse(raw)
      const sender = mailFrom === false ? '' : mailFrom.address
      const mail = {
        sender,
        recipients,
        raw,
        parsed,
        encrypted: session.secure,
        greetedAs: String(session.hostNameAppearsAs),
      }
      received.push(mail)
      await beforeReply?.(mail)
      done()
    },
  })
  server.on('error', () => {}) // clients that disconnect are part of the tests
  server.listen(port, '127.0.0.1')
  await once(server.server, 'listening')

  async function ask(step: Step, address: string, done: (error?: Error) => void): Promise<void> {
    const refused = await answer(step, address)
    if (refused === undefined) done()
    else done(refusal(refused))
  }

  const { port: bound } = server.server.address() as AddressInfo
  const auth = account && { auth: account }
  return {
    smtp: { host: '127.0.0.1', port: bound, secure: false, tls: 'opportunistic', ...auth },
    received,
    tries: () => tries,
    connections: () => connections,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }
}

function refusal(reply: string): Error {
  return Object.assign(new Error(reply.slice(4)), { responseCode: Number(reply.slice(0, 3)) })
}
