import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forEachDatabase, testApp } from '../support/app.ts'
import { smtpServer } from '../support/smtp.ts'
import { listen, request } from '../support/wire.ts'

forEachDatabase('27 header injection', (engine) => {
  test('a raw mail has one recipient and no header that a name or an address brought along', async () => {
    const server = await smtpServer()
    const { port } = server.smtp
    try {
      await using app = await testApp({
        engine,
        env: { GATELODGE_SMTP_URL: `smtp://127.0.0.1:${port}`, GATELODGE_RATE_LIMITS: 'off' },
      })
      const names = [
        'Bcc: evil@example.com',
        '=?utf-8?Q?x=0D=0ABcc:_evil@example.com?=',
        'Ada, Eve',
        '"Ada" <evil@example.com>',
        'ada;',
      ]
      for (const [index, name] of names.entries()) {
        const email = [
          'a=?b?=@example.com',
          "o'neill+x@example.com",
          '=0d=0a@example.com',
          'a{b}c@example.com',
          '%0d%0abcc@example.com',
        ][index]
        const told = await app.post('/signup', {
          email,
          password: 'quiet harbour 52',
          first_name: name,
          last_name: name,
        })
        assert.equal(told.status, 201, name)
        await app.composition.deliverMail()
        const mail = server.received.at(-1)
        assert.deepEqual(mail?.recipients, [email])
        assert.deepEqual(
          mail?.parsed.to?.map(({ address }) => address),
          [email],
        )
        assert.deepEqual([mail?.parsed.cc ?? [], mail?.parsed.bcc ?? []], [[], []])
        const head = mail?.raw.slice(0, mail.raw.indexOf('\r\n\r\n')) ?? ''
        assert.doesNotMatch(head, /^(?:bcc|cc|x-)/im)
        assert.equal(head.match(/^to:/gim)?.length, 1)
      }
      assert.equal(server.received.length, names.length)
    } finally {
      await server.close()
    }
  })

  test('line breaks in names and addresses are refused, and in a User-Agent they are stored as one line or not at all', async () => {
    await using app = await testApp({ engine })
    for (const text of ['Ada\r\nBcc: evil@example.com', 'Ada\nX: y', 'Ada\rX: y', 'Ada\u2028X']) {
      const told = await app.post('/signup', {
        email: 'ada@example.com',
        password: 'quiet harbour 52',
        first_name: text,
      })
      assert.equal(told.json.errors[0].field, 'first_name')
      assert.equal(
        (await app.post('/forgot-password', { email: `ada@example.com${text.slice(3)}` })).json.errors[0].field,
        'email',
      )
    }
    await using wire = await listen(app)
    const body = JSON.stringify({ email: 'ada@example.com', password: 'wrong harbour' })
    for (const agent of ['x\r\n folded', 'x\rSet-Cookie: a=b', 'x\nSet-Cookie: a=b', 'x\0y']) {
      const [answer] = await wire.send(request('POST /api/v1/auth/signin', { 'user-agent': agent }, body))
      assert.ok([400, 401].includes(answer?.status ?? 0), JSON.stringify(agent))
      assert.equal(answer?.headers.has('set-cookie'), false)
    }
    for (const { user_agent } of await app.rows('events')) assert.doesNotMatch(String(user_agent), /[\r\n\0]/)
  })

  test('nothing that a request brought stands in a header of the answer', async () => {
    await using app = await testApp({ engine })
    await using wire = await listen(app)
    const mark = 'canary12345'
    for (const line of [
      `GET /api/v1/auth/${mark}`,
      `GET /${mark}?${mark}=${mark}`,
      'GET /api/v1/auth/session',
      'OPTIONS /api/v1/auth/signin',
      `DELETE /api/v1/auth/me/sessions/${mark}`,
    ]) {
      const sent = {
        origin: `https://${mark}`,
        'x-request-id': mark,
        authorization: `Bearer ${mark}`,
        cookie: `${mark}=${mark}; gatelodge=${mark}`,
        'user-agent': mark,
        'access-control-request-headers': mark,
        'access-control-request-method': mark,
      }
      const [answer] = await wire.send(request(line, sent))
      assert.doesNotMatch(JSON.stringify([...(answer?.headers ?? [])]) + answer?.body, new RegExp(mark), line)
    }
  })
})
