import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forEachDatabase } from '../../test/support/app.ts'
import { commandFolderOn } from '../../test/support/cli.ts'
import { smtpServer } from '../../test/support/smtp.ts'

forEachDatabase('mails by commands', (engine) => {
  test('a test mail is sent immediately, and its server is named', async () => {
    const mailServer = await smtpServer()
    await using folder = await commandFolderOn(engine, {
      GATELODGE_SMTP_URL: `smtp://127.0.0.1:${mailServer.smtp.port}`,
    })
    const answer = await folder.json('mail test Ada@example.com')
    await mailServer.close()

    assert.deepEqual(answer, { to: 'ada@example.com', via: 'smtp', server: `127.0.0.1:${mailServer.smtp.port}` })
    assert.deepEqual(
      mailServer.received.map(({ recipients }) => recipients),
      [['ada@example.com']],
    )
    assert.deepEqual(await folder.json('mail list'), { mails: [] })
  })

  test('a rejected test mail fails with the reply of the server', async () => {
    const mailServer = await smtpServer({ answer: (step) => (step === 'RCPT TO' ? '550 5.1.1 Unknown' : undefined) })
    await using folder = await commandFolderOn(engine, {
      GATELODGE_SMTP_URL: `smtp://127.0.0.1:${mailServer.smtp.port}`,
    })
    const { status, stderr } = await folder.run('mail test ada@example.com')
    await mailServer.close()

    assert.equal(status, 1)
    assert.match(stderr, /did not accept the mail: 550/)
  })

  test('without a mail server a test mail waits for the development mailbox, and the command says so', async () => {
    await using folder = await commandFolderOn(engine)
    assert.match((await folder.run('mail test ada@example.com')).stdout, /development mailbox/)
    const { mails } = await folder.json<{ mails: { kind: string; state: string }[] }>('mail list')
    assert.deepEqual(
      mails.map(({ kind, state }) => [kind, state]),
      [['test', 'requested']],
    )
  })

  test('if the public URL is not this machine, the development mailbox is not mentioned', async () => {
    await using folder = await commandFolderOn(engine, {
      GATELODGE_PUBLIC_URL: 'http://auth.invalid',
      GATELODGE_INSECURE_HTTP: 'yes',
    })
    const { stdout } = await folder.run('mail test ada@example.com')
    assert.match(stdout, /No mail server is configured .* is not delivered/)
    assert.doesNotMatch(stdout + (await folder.run('doctor')).stdout, /mailbox/)
  })

  test('a waiting mail is retried now, a delivered one is not', async () => {
    await using folder = await commandFolderOn(engine)
    await folder.json('user create --email ada@example.com --invite')
    const { mails } = await folder.json<{ mails: { id: string }[] }>('mail list --state requested')
    const id = mails[0]?.id ?? ''
    assert.deepEqual(await folder.json(`mail retry ${id}`), { retried: [id] })
    assert.match((await folder.run(`mail retry ${id}`)).stdout, /tries it now/)
    const [, shown = ''] = /^(…\w+) /m.exec((await folder.run('mail list')).stdout) ?? []
    for (const end of [shown, shown.slice(1)])
      assert.deepEqual(await folder.json(`mail retry ${end}`), { retried: [id] })
    assert.equal((await folder.run(`mail retry ${shown.slice(2)}`)).status, 1)

    const server = await folder.serve()
    await server.next()
    await server.end()
    const { stderr, status } = await folder.run(`mail retry ${id}`)
    assert.equal(status, 1)
    assert.match(stderr, /No pending or failed mail has that ID/)
    const sent = await folder.json<{ mails: { finished_at: string | null; next_attempt_at: string | null }[] }>(
      'mail list --state delivered',
    )
    assert.equal(sent.mails[0]?.next_attempt_at, null)
    assert.match((await folder.run('mail list')).stdout, /delivered/)
  })

  test('failed mails are listed with their reason and age, and written again one by one or all together', async () => {
    const mailServer = await smtpServer({ answer: (step) => (step === 'RCPT TO' ? '550 5.1.1 Unknown' : undefined) })
    await using folder = await commandFolderOn(engine, {
      GATELODGE_SMTP_URL: `smtp://127.0.0.1:${mailServer.smtp.port}`,
    })
    for (const name of ['ada', 'grace', 'joan']) await folder.json(`user create --email ${name}@example.com --invite`)
    const server = await folder.serve()
    const failed = async () =>
      (
        await folder.json<{ mails: { id: string; attempts: number; last_error: string; age_seconds: number }[] }>(
          'mail list --state failed',
        )
      ).mails
    for (let looks = 0; looks < 200 && (await failed()).length < 3; looks += 1)
      await new Promise((resolve) => setTimeout(resolve, 50))
    await server.end()
    await mailServer.close()

    const mails = await failed()
    assert.ok(mails.every(({ attempts, last_error }) => attempts === 1 && last_error === '550 5.1.1 at RCPT TO'))
    assert.ok(mails.every(({ age_seconds }) => age_seconds >= 0 && age_seconds < 600))
    assert.match(
      (await folder.run('mail list')).stdout,
      /AGE +NEXT ATTEMPT +LAST ERROR\n.* (seconds?|minutes?) .*550 5\.1\.1 at RCPT TO/,
    )

    const { retried } = await folder.json<{ retried: string[] }>(`mail retry ${mails[0]?.id}`)
    assert.ok(retried.length === 1 && !mails.some(({ id }) => id === retried[0]))
    assert.match((await folder.run('mail retry --failed')).stdout, /^Queued 2 failed mails again/)
    assert.equal((await failed()).length, 0)
    for (const wrong of ['mail retry', `mail retry ${retried[0]} --failed`, 'mail retry a b'])
      assert.equal((await folder.run(wrong)).status, 2, wrong)
  })
})
