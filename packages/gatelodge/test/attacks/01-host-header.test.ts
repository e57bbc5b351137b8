import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forEachDatabase, testApp } from '../support/app.ts'
import { listen, request } from '../support/wire.ts'

const forgot = 'POST /api/v1/auth/forgot-password'
const victim = 'victim@example.com'
const body = JSON.stringify({ email: victim })

const poisoned: readonly (readonly [claim: string, line: string, headers: Record<string, string>])[] = [
  ['a foreign Host', forgot, { host: 'evil.test' }],
  ['a Host with a foreign port', forgot, { host: 'localhost:1337' }],
  ['a Host that is no host', forgot, { host: 'evil.test/x?y#z@localhost' }],
  ['X-Forwarded-Host', forgot, { 'x-forwarded-host': 'evil.test', 'x-forwarded-proto': 'http' }],
  ['X-Forwarded-Server and X-Host', forgot, { 'x-forwarded-server': 'evil.test', 'x-host': 'evil.test' }],
  ['Forwarded', forgot, { forwarded: 'host=evil.test;proto=http' }],
  ['X-Original-URL', forgot, { 'x-original-url': 'http://evil.test/', 'x-rewrite-url': 'http://evil.test/' }],
  ['Origin and Referer of our own', forgot, { origin: 'http://localhost:3000', referer: 'http://evil.test/' }],
  ['an absolute request line', 'POST http://evil.test/api/v1/auth/forgot-password', { host: 'evil.test' }],
  ['an absolute request line with a user part', 'POST http://localhost:3000@evil.test/api/v1/auth/forgot-password', {}],
]

forEachDatabase('01 host header', (engine) => {
  test('whatever a request says of its host, the mailed link starts with the public URL', async () => {
    for (const proxies of ['', '127.0.0.1']) {
      await using app = await testApp({
        engine,
        env: { GATELODGE_RATE_LIMITS: 'off', ...(proxies !== '' && { GATELODGE_TRUSTED_PROXIES: proxies }) },
      })
      await app.user({ email: victim })
      await using wire = await listen(app)

      for (const [claim, line, headers] of poisoned) {
        const before = (await app.mails(victim)).length
        const [answer] = await wire.send(request(line, headers, body))
        const mails = await app.mails(victim)
        if (answer?.status === 200) {
          assert.equal(mails.length, before + 1, claim)
          const mail = mails.at(-1)
          assert.match(mail?.text ?? '', /http:\/\/localhost:3000\/reset-password\?token=/, claim)
          assert.doesNotMatch(`${mail?.text}${mail?.html}${mail?.subject}`, /evil|1337/, claim)
        } else {
          assert.equal(answer?.status, 400, claim)
          assert.equal(mails.length, before, claim)
        }
      }
    }
  })

  test('a foreign or broken Host is not a reason to reject', async () => {
    await using app = await testApp({ engine })
    await using wire = await listen(app)
    for (const host of ['evil.test', 'a b', '[::1', '%', 'localhost:99999']) {
      const [answer] = await wire.send(request('GET /healthz', { host }))
      assert.equal(answer?.status, 200, host)
    }
  })

  test('redirects, documents, problems and tokens name the public URL only', async () => {
    await using app = await testApp({ engine, env: { GATELODGE_SECURITY_CONTACT: 'mailto:security@example.com' } })
    const ada = await app.user()
    await using wire = await listen(app)
    const evil = { host: 'evil.test', 'x-forwarded-host': 'evil.test', forwarded: 'host=evil.test' }

    for (const path of [
      '/api/v1/auth/verify-email?token=x',
      '/openapi.json',
      '/docs',
      '/.well-known/security.txt',
      '/nowhere',
    ]) {
      const [answer] = await wire.send(request(`GET ${path}`, evil))
      assert.doesNotMatch(JSON.stringify([...(answer?.headers ?? [])]) + answer?.body, /evil/, path)
    }
    const signIn = JSON.stringify({ email: ada.email, password: ada.password })
    const [told] = await wire.send(request('POST /api/v1/auth/signin', evil, signIn))
    const claims = Buffer.from(JSON.parse(told?.body ?? '{}').access_token.split('.')[1], 'base64url').toString()
    assert.match(claims, /"iss":"http:\/\/localhost:3000"/)
    assert.doesNotMatch(claims, /evil/)
  })

  test('the development mailbox believes a loopback Host from a loopback peer only', async () => {
    await using app = await testApp({ engine })
    await using wire = await listen(app)
    const statuses = []
    for (const headers of [
      { host: 'localhost:3000' },
      { host: 'evil.test' },
      { host: 'localhost.evil.test' },
      { host: 'localhost', 'x-forwarded-for': '127.0.0.1' },
      { host: 'localhost', forwarded: 'for=127.0.0.1' },
    ]) {
      statuses.push((await wire.send(request('GET /dev/mailbox', headers)))[0]?.status)
    }
    assert.deepEqual(statuses, [200, 404, 404, 404, 404])
    // DNS rebinding: the page of evil.test reaches 127.0.0.1, and the absolute form names localhost.
    const [rebound] = await wire.send(request('GET http://localhost/dev/mailbox', { host: 'evil.test' }))
    assert.equal(rebound?.status, 404)
  })
})
