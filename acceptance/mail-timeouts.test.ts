import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { MailRefused, smtpTransport } from '../packages/gatelodge/src/jobs/transports.ts'
import { second } from '../packages/gatelodge/src/kernel/clock.ts'
import { type SmtpOptions, smtpServer } from '../packages/gatelodge/test/support/smtp.ts'

// In real time, since connection timeouts follow the operating system's clock.

const never = new Promise<undefined>(() => {})
const mail = {
  id: 'm1',
  kind: 'test',
  messageId: '<m1@id.example.org>',
  from: { name: 'Gatelodge', address: 'no-reply@id.example.org' },
  to: 'ada@example.org',
  subject: 'Hello',
  html: '<p>Hello</p>',
  text: 'Hello',
}

const cases = [
  ['at its greeting', 10, { answer: (step) => (step === 'CONNECT' ? never : undefined) }],
  ['at a recipient', 30, { answer: (step) => (step === 'RCPT TO' ? never : undefined) }],
  ['after the mail', 30, { answer: (step) => (step === 'DATA' ? never : undefined) }],
] as const satisfies [string, number, SmtpOptions][]

describe('a mail server that hangs', { concurrency: true }, () => {
  for (const [where, seconds, options] of cases) {
    test(`${where} is given up after ${seconds} s, for now`, async () => {
      const server = await smtpServer(options)
      const transport = smtpTransport(server.smtp, 'id.example.org')
      const sending: Promise<unknown> = transport.send(mail).catch((error: unknown) => error)
      assert.equal(await Promise.race([sending, pause((seconds - 1) * second, 'waits')]), 'waits')
      const refused = await Promise.race([sending, pause(11 * second, 'still waits')])
      assert.ok(refused instanceof MailRefused && !refused.permanent, String(refused))
      await transport.close()
      await server.close()
    })
  }
})
