import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forEachDatabase, testApp } from '../../../test/support/app.ts'

const local = { ip: '127.0.0.1', headers: { host: 'localhost:3000' } }

forEachDatabase('development mailbox', (engine) => {
  test('the machine itself reads its mails as a person would', async () => {
    await using app = await testApp({ engine })
    await app.post('/signup', { email: 'ada@example.com', password: 'quiet harbour 52' })
    const mail = await app.lastMail('ada@example.com')

    const list = await app.get('/dev/mailbox', local)
    assert.match(list.text, /ada@example\.com/)
    const page = await app.get(`/dev/mailbox/${mail.id}`, local)
    assert.match(page.text, /<iframe[^>]+sandbox=/)
    const frame = await app.get(`/dev/mailbox/${mail.id}/html`, local)
    assert.ok(frame.text.includes(mail.token))
    assert.match(frame.headers.get('content-security-policy') ?? '', /frame-ancestors 'self'/)
    assert.equal((await app.get('/dev/mailbox/nonsense', local)).status, 404)
  })

  test('it is not there for other machines, other hosts, or behind a proxy', async () => {
    await using app = await testApp({ engine })
    assert.equal((await app.get('/dev/mailbox', { ...local, ip: '::ffff:127.0.0.1' })).status, 200)
    assert.equal((await app.get('/dev/mailbox', { ...local, ip: '192.0.2.1' })).status, 404)
    assert.equal((await app.get('/dev/mailbox', { ip: '127.0.0.1' })).status, 404)
    for (const headers of [
      { host: 'evil.test' },
      { 'x-forwarded-for': '127.0.0.1' },
      { forwarded: 'for=127.0.0.1' },
      { 'x-real-ip': '127.0.0.1' },
      { 'x-forwarded-port': '80' },
      { 'x-forwarded-server': 'proxy' },
      { 'cf-connecting-ip': '127.0.0.1' },
      { 'x-envoy-external-address': '127.0.0.1' },
    ]) {
      assert.equal(
        (await app.get('/dev/mailbox', { ...local, headers: { ...local.headers, ...headers } })).status,
        404,
        JSON.stringify(headers),
      )
    }
  })

  test('it does not exist if the public URL is not on this machine, not even for a proxy on the same machine', async () => {
    for (const url of [
      'http://auth.example.com',
      'https://auth.example.com',
      'http://192.0.2.1:3000',
      'http://localhost.example.com',
    ]) {
      await using app = await testApp({
        engine,
        env: { GATELODGE_PUBLIC_URL: url, GATELODGE_INSECURE_HTTP: 'yes' },
      })
      await app.post('/signup', { email: 'ada@example.com', password: 'quiet harbour 52' })
      const mail = await app.lastMail('ada@example.com')
      for (const host of ['127.0.0.1:3000', 'localhost:3000', '[::1]:3000', new URL(url).host]) {
        for (const path of ['/dev/mailbox', `/dev/mailbox/${mail.id}`, `/dev/mailbox/${mail.id}/html`]) {
          const told = await app.get(path, { ip: '127.0.0.1', headers: { host } })
          assert.deepEqual([told.status, told.code], [404, 'not_found'], `${url} ${host} ${path}`)
        }
      }
    }
    for (const url of ['http://127.0.0.1:3000', 'http://[::1]:3000', 'http://auth.localhost:3000']) {
      await using app = await testApp({ engine, env: { GATELODGE_PUBLIC_URL: url } })
      assert.equal((await app.get('/dev/mailbox', local)).status, 200, url)
    }
  })

  test('it is not there while a mail server is set', async () => {
    await using app = await testApp({ engine, env: { GATELODGE_SMTP_URL: 'smtp://127.0.0.1:1' } })
    assert.equal((await app.get('/dev/mailbox', local)).status, 404)
  })
})
