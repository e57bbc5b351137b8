import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { testClock, testStart } from '../../test/support/deps.ts'
import { type SmtpOptions, smtpServer } from '../../test/support/smtp.ts'
import type { Smtp } from '../config.ts'
import { MailRefused, mailboxTransport, type OutgoingMail, smtpTransport } from './transports.ts'

const mail: OutgoingMail = {
  id: 'm1',
  kind: 'test',
  messageId: '<m1@id.example.org>',
  from: { name: 'Gäte "lodge"', address: 'no-reply@id.example.org' },
  to: 'ada@example.org',
  subject: 'Grüße',
  html: '<p>Hello</p>',
  text: 'Open this:\nhttps://id.example.org/x?token=t\n\n-- \nSent by Gatelodge, https://id.example.org\n',
}

async function send(
  t: TestContext,
  options: SmtpOptions,
  smtp: Partial<Smtp> = {},
  message: Partial<OutgoingMail> = {},
) {
  const server = await smtpServer(options)
  const transport = smtpTransport({ ...server.smtp, ...smtp }, 'id.example.org')
  t.after(async () => {
    await transport.close()
    await server.close()
  })
  const refused = await transport.send({ ...mail, ...message }).then(
    () => undefined,
    (error: unknown) => error,
  )
  assert.ok(refused === undefined || refused instanceof MailRefused)
  return { server, refused: refused && { reason: refused.message, permanent: refused.permanent } }
}

test('a mail arrives with both bodies, its own Message-ID and the header of an automatic mail', async (t) => {
  const { server, refused } = await send(t, {})
  const [received] = server.received

  assert.equal(refused, undefined)
  assert.equal(server.received.length, 1)
  assert.deepEqual(received?.recipients, ['ada@example.org'])
  assert.equal(received?.sender, 'no-reply@id.example.org')
  assert.equal(received?.parsed.messageId, mail.messageId)
  assert.equal(received?.parsed.subject, mail.subject)
  assert.deepEqual(received?.parsed.from, mail.from)
  assert.equal(received?.parsed.html?.trim(), mail.html)
  assert.equal(received?.parsed.text?.trim(), mail.text.trim())
  assert.equal(received?.parsed.headers.find(({ key }) => key === 'auto-submitted')?.value, 'auto-generated')
})

test('the greeting uses the configured name, not a loopback address', async (t) => {
  assert.equal((await send(t, {})).server.received[0]?.greetedAs, 'id.example.org')
  assert.equal((await send(t, { startTls: true })).server.received[0]?.greetedAs, 'id.example.org')
})

test('an address that could be parsed as several reaches no other recipient', async (t) => {
  const { server } = await send(t, {}, {}, { to: 'ada@example.org, eve@evil.test' })

  assert.ok(server.received.every(({ recipients }) => !recipients.includes('eve@evil.test')))
})

test('line breaks in the sender and the subject start no header', async (t) => {
  const from = { name: 'Ada\r\nBcc: eve@evil.test', address: 'no-reply@id.example.org' }
  const { server } = await send(t, {}, {}, { from, subject: 'Hi\r\nBcc: eve@evil.test' })

  assert.deepEqual(server.received[0]?.recipients, ['ada@example.org'])
  assert.doesNotMatch(server.received[0]?.raw ?? '', /^Bcc:/m)
})

test('required TLS rejects a server that does not offer it, and keeps the mail for later', async (t) => {
  const { server, refused } = await send(t, { startTls: false }, { tls: 'required' })

  assert.equal(refused?.permanent, false)
  assert.equal(server.tries(), 0)
})

test('TLS is used when offered, and a self-signed certificate is accepted on loopback', async (t) => {
  assert.equal((await send(t, { startTls: true }, { tls: 'opportunistic' })).server.received[0]?.encrypted, true)
  assert.equal((await send(t, { startTls: true }, { tls: 'required' })).server.received[0]?.encrypted, true)
  assert.equal((await send(t, { startTls: false }, { tls: 'opportunistic' })).server.received[0]?.encrypted, false)
})

test('tls=never sends in clear even when TLS is offered', async (t) => {
  assert.equal((await send(t, { startTls: true }, { tls: 'never' })).server.received[0]?.encrypted, false)
})

test('a self-signed certificate of another machine is rejected before anything is sent', async (t) => {
  // 0.0.0.0 connects to this machine, but is not a loopback address.
  const { server, refused } = await send(t, { startTls: true }, { tls: 'required', host: '0.0.0.0' })

  assert.equal(refused?.permanent, false)
  assert.equal(server.tries(), 0)
})

test('credentials of the mail server are used, and wrong ones are a temporary failure that the operator has to fix', async (t) => {
  const account = { user: 'gatelodge', pass: 'right' }

  assert.equal((await send(t, { account })).server.received.length, 1)
  assert.deepEqual((await send(t, { account }, { auth: { ...account, pass: 'wrong' } })).refused, {
    reason: '535 5.7.8 at AUTH PLAIN',
    permanent: false,
  })
})

for (const [step, reply, permanent] of [
  ['RCPT TO', '550 5.1.1 No ada@example.org here', true],
  ['RCPT TO', '450 4.2.0 Greylisted', false],
  ['RCPT TO', '530 5.7.0 Authentication required', false],
  ['DATA', '554 5.7.1 Not wanted', true],
  ['DATA', '451 4.3.0 Try again', false],
  ['DATA', '503 5.5.1 Bad sequence', false],
  ['MAIL FROM', '550 5.7.1 Sender refused', false],
  ['MAIL FROM', '451 4.7.1 Slow down', false],
] as const) {
  test(`${reply.slice(0, 9)} at ${step} is ${permanent ? 'final' : 'not final'} and reported without the server’s text`, async (t) => {
    const { refused } = await send(t, { answer: (asked) => (asked === step ? reply : undefined) })

    assert.deepEqual(refused, { reason: `${reply.slice(0, 9)} at ${step}`, permanent })
  })
}

test('a reply without an enhanced code is reported by its number', async (t) => {
  const { refused } = await send(t, { answer: (step) => (step === 'RCPT TO' ? '550 Unknown' : undefined) })

  assert.match(refused?.reason ?? '', /^550( 5\.\d\.\d)? at RCPT TO$/)
})

for (const greeting of ['421 4.3.2 Too busy', '554 5.7.1 Not from there']) {
  test(`${greeting.slice(0, 3)} instead of a greeting is not final`, async (t) => {
    const { refused } = await send(t, { answer: (asked) => (asked === 'CONNECT' ? greeting : undefined) })

    assert.deepEqual(refused?.permanent, false)
  })
}

test('one connection serves mail after mail, and a restarted mail server gets a new one', async (t) => {
  const first = await smtpServer()
  const transport = smtpTransport(first.smtp, 'id.example.org')
  t.after(() => transport.close())
  for (let n = 0; n < 5; n += 1) await transport.send(mail)
  await first.close()
  assert.deepEqual([first.received.length, first.connections()], [5, 1])

  await assert.rejects(transport.send(mail), MailRefused)
  const second = await smtpServer({ port: first.smtp.port })
  t.after(() => second.close())
  await transport.send(mail)
  await transport.send(mail)
  assert.deepEqual([second.received.length, second.connections()], [2, 1])
})

test('closing aborts a hanging delivery and keeps the mail for later', async (t) => {
  const { promise: never, resolve } = Promise.withResolvers<undefined>()
  const server = await smtpServer({ answer: (step) => (step === 'RCPT TO' ? never : undefined) })
  t.after(() => server.close())
  const transport = smtpTransport(server.smtp, 'id.example.org')
  const sent = transport.send(mail)
  while (server.tries() === 0) await new Promise(setImmediate)

  const refused = assert.rejects(sent, { name: 'MailRefused', permanent: false })
  await transport.close()
  await refused
  resolve(undefined)
})

test('a dropped connection is not retried immediately, but later', async (t) => {
  const { server, refused } = await send(t, { hangsUp: () => true }, {}, { html: 'x'.repeat(100_000) })

  assert.equal(refused?.permanent, false)
  assert.equal(server.tries(), 1)
})

test('an unreachable server is retried later', async () => {
  const server = await smtpServer()
  await server.close()
  const transport = smtpTransport(server.smtp, 'id.example.org')

  await assert.rejects(transport.send(mail), { name: 'MailRefused', message: 'ESOCKET at CONN', permanent: false })
  await transport.close()
})

test('the development mailbox keeps mails in readable form and announces their links', async () => {
  const lines: string[] = []
  const mailbox = mailboxTransport({ clock: testClock(), announce: (line) => lines.push(line) })
  await mailbox.send(mail)
  await mailbox.send({ ...mail, id: 'm2', text: 'No link.', from: { ...mail.from, name: '' } })

  const { messageId: _, ...shown } = mail
  assert.deepEqual(
    mailbox.entries().map(({ id }) => id),
    ['m2', 'm1'],
  )
  assert.deepEqual(mailbox.find('m1'), {
    ...shown,
    from: 'Gäte "lodge" <no-reply@id.example.org>',
    date: testStart,
  })
  assert.equal(mailbox.find('m2')?.from, 'no-reply@id.example.org')
  assert.equal(mailbox.find('m3'), undefined)
  assert.deepEqual(lines, [
    'Mail to ada@example.org: Grüße https://id.example.org/x?token=t',
    'Mail to ada@example.org: Grüße',
  ])
  await mailbox.close()
})

test('the development mailbox keeps the newest 200 mails and each only once', async () => {
  const mailbox = mailboxTransport({ clock: testClock(), announce() {} })
  for (let n = 0; n < 201; n += 1) await mailbox.send({ ...mail, id: `m${n}` })
  await mailbox.send({ ...mail, id: 'm200' })

  assert.equal(mailbox.entries().length, 200)
  assert.equal(mailbox.find('m0'), undefined)
  assert.equal(mailbox.entries().filter(({ id }) => id === 'm200').length, 1)
})
