import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readCredential } from '../../src/http/authenticate.ts'
import { readForm, readJson } from '../../src/http/body.ts'
import { createClientIp } from '../../src/http/client-ip.ts'
import { withEtag } from '../../src/http/etag.ts'
import { readUpload } from '../../src/http/multipart.ts'
import { negotiateLanguage } from '../../src/kernel/languages.ts'
import { forEachDatabase, type Told, testApp } from '../support/app.ts'
import { withinPace } from '../support/pace.ts'
import { listen, request } from '../support/wire.ts'

const longest = 50

async function timed(name: string, ask: () => Promise<Told>): Promise<Told> {
  const told = await withinPace(name, longest, ask)
  assert.ok(told.status < 500, `${name}: ${told.status}`)
  return told
}

test('SP and HTAB are the blanks of a header, and nothing else is', async () => {
  const clientIp = createClientIp(['192.0.2.0/24'], { note() {}, noteUnreadable() {} })
  const typed = (type: string) =>
    new Request('http://localhost/', { method: 'POST', body: '{}', headers: { 'content-type': type } })
  const form = { field: 'file', maxBytes: 10, tooLarge: 'image_too_large', types: [], patience: 1_000 } as const
  const unsupported = { code: 'media_type_unsupported' }
  for (const byte of ['\x0b', '\x0c', '\x85', '\xa0']) {
    assert.equal(negotiateLanguage(`${byte}fr, de;q=0.1`), 'de')
    assert.equal(negotiateLanguage(`fr${byte};q=1, de;q=0.1`), 'de')
    assert.equal(negotiateLanguage(`fr;q=${byte}1, de;q=0.1`), 'de')
    assert.equal(clientIp('192.0.2.1', `203.0.113.9,${byte}198.51.100.7`), '192.0.2.1')
    assert.equal(withEtag({ status: 200 }, '"x"', `${byte}*`).status, 200)
    assert.equal(readCredential(`Bearer${byte}x`, undefined)?.kind, 'malformed')
    for (const type of [`application/json${byte}`, `application/json;${byte}charset=utf-8`])
      await assert.rejects(readJson(typed(type), false), unsupported)
    for (const type of ['application/x-www-form-urlencoded', 'application/x-www-form-urlencoded;charset=utf-8'])
      await assert.rejects(readForm(typed(type + byte)), unsupported)
    await assert.rejects(readUpload(typed(`multipart/form-data;${byte}boundary=x`), form), unsupported)
  }
  for (const blank of [' ', '\t']) {
    assert.equal(negotiateLanguage(`de;q=0.1,${blank}fr${blank};${blank}q=0.5`), 'fr')
    assert.equal(clientIp('192.0.2.1', `203.0.113.9,${blank}198.51.100.7${blank}`), '198.51.100.7')
    assert.equal(withEtag({ status: 200 }, '"x"', `${blank}*`).status, 304)
    assert.deepEqual(await readJson(typed(`application/json${blank};${blank}charset=utf-8`), false), {})
  }
})

forEachDatabase('45 hostile input', (engine) => {
  test('no text takes longer than its length: addresses, names, passwords, JSON', async () => {
    await using app = await testApp({ engine, env: { GATELODGE_RATE_LIMITS: 'off' } })
    const emails = [
      `${'a'.repeat(50_000)}@example.com`,
      `${'a.'.repeat(25_000)}@example.com`,
      `a@${'a.'.repeat(25_000)}com`,
      `${'@'.repeat(50_000)}`,
      `${' '.repeat(50_000)}a@example.com`,
      `${'a.'.repeat(125)}a@b.example`.slice(-254),
      `${'a'.repeat(63)}(@example.com`,
      `${'a.'.repeat(31)}(@example.com`,
      `a@${'-'.repeat(240)}.example`,
      `a@${'xn--'.repeat(60)}.com`.slice(0, 254),
      `a@${'\u0301'.repeat(240)}.com`,
      `${'!'.repeat(60)}@${'a-'.repeat(90)}.example`,
    ]
    await app.post('/forgot-password', { email: 'ada@example.com' }) // the first request of a process loads modules that later ones find loaded
    for (const email of emails) {
      for (const path of ['/forgot-password', '/signup', '/signin']) {
        await timed(`${path} ${email.slice(0, 20)}`, () =>
          app.post(path, { email, ...(path !== '/forgot-password' && { password: 'quiet harbour 52' }) }),
        )
      }
    }
    for (const name of [
      'a\u0301'.repeat(75),
      '\u0345'.repeat(150),
      '\ufdfa'.repeat(150),
      `a${'._-'.repeat(49)}`,
      '\u1e9b\u0323'.repeat(75),
      '한'.repeat(150),
    ]) {
      await timed('username', () => app.get(`/username-available?username=${encodeURIComponent(name)}`))
      await timed('sign-in', () => app.post('/signin', { username: name, password: 'quiet harbour 52' }))
      await timed('sign-up', () =>
        app.post('/signup', {
          email: 'a@example.com',
          password: 'quiet harbour 52',
          username: name,
          fullname: `${name.slice(0, 70)} ${name.slice(0, 70)}`,
        }),
      )
    }
    for (const password of [
      '\u0301'.repeat(4_096),
      'a\u0301\u0323'.repeat(1_365),
      'ab'.repeat(2_048),
      ' '.repeat(4_096),
      '\u{1f600}'.repeat(1_024),
    ]) {
      await timed('password', () => app.post('/signup', { email: 'a@example.com', password }))
      await timed('password', () => app.post('/signin', { email: 'a@example.com', password }))
    }
    for (const body of [
      `{"email":"${'\\\\'.repeat(30_000)}"}`,
      `{${'"a":1,'.repeat(9_000)}"b":1}`,
      `{"${'\\"'.repeat(30_000)}":1}`,
      `${' '.repeat(65_000)}{}`,
      `{"a":${'['.repeat(30_000)}${']'.repeat(30_000)}}`,
      `"${'"'.repeat(60_000)}`,
      `{"profile":{${Array.from({ length: 5_000 }, (_, index) => `"k${index}":1`).join()}}}`,
    ]) {
      assert.equal((await timed(`JSON ${body.slice(0, 12)}`, () => app.post('/signin', body))).status, 400)
    }
  })

  test('no header or path takes longer than its length', async () => {
    await using app = await testApp({ engine, env: { GATELODGE_TRUSTED_PROXIES: '127.0.0.1' } })
    await using wire = await listen(app)
    const long = 15_000
    for (const headers of [
      { authorization: `Bearer ${'A'.repeat(long)}` },
      { authorization: `Bearer ${'='.repeat(long)}x` },
      { authorization: `Bearer${' '.repeat(long)}x` },
      { authorization: `Bearer ${'A.'.repeat(long / 2)}` },
      { cookie: ';'.repeat(long) },
      { cookie: 'gatelodge=;'.repeat(long / 11) },
      { cookie: `gatelodge=${'A.'.repeat(long / 2)}` },
      { 'x-forwarded-for': `${'127.0.0.1,'.repeat(long / 10)}1.2.3.4` },
      { 'x-forwarded-for': ','.repeat(long) },
      { 'x-forwarded-for': ':'.repeat(long) },
      { 'user-agent': `${'Mozilla/5.0 '.repeat(long / 12)}` },
      { origin: `http://${'a'.repeat(long)}` },
      { 'content-type': `application/json;${' '.repeat(long)}x` },
      { 'accept-language': `fr${' ;'.repeat(long / 2)}q=1` },
      { 'accept-language': 'en;q=0.5,'.repeat(long / 9) },
    ]) {
      const ask = () => wire.send(request('POST /api/v1/auth/reauthenticate', headers, '{}'))
      const [answer] = await withinPace(JSON.stringify(headers), longest, ask)
      assert.ok((answer?.status ?? 0) >= 400 && (answer?.status ?? 0) < 500, JSON.stringify(headers).slice(0, 60))
    }
    for (const path of [
      `/${'a/'.repeat(7_000)}`,
      `/${'%2e%2e/'.repeat(2_000)}`,
      `/api/v1/auth/me/sessions/${'a'.repeat(14_000)}`,
      `/api/v1/auth/username-available?${'a=1&'.repeat(3_500)}`,
    ]) {
      const [answer] = await withinPace(path, longest, () => wire.send(request(`GET ${path}`)))
      // Dots lead to the start page, which redirects; the rest is rejected.
      const expected = path.startsWith('/%2e') ? [303] : [400, 404, 405, 431]
      assert.ok(expected.includes(answer?.status ?? 0), `${path.slice(0, 40)} ${answer?.status}`)
    }
  })

  test('a parameter given twice is refused by name, and names of the prototype are names like others', async () => {
    await using app = await testApp({ engine })
    for (const [query, field] of [
      ['username=ada&username=eve', 'username'],
      ['username=ada&%75sername=eve', 'username'],
      ['username[]=ada', 'username'],
      ['username=ada&username[]=eve', 'body'],
      ['username=ada&__proto__=x', '__proto__'],
      ['username=ada&constructor=x', 'constructor'],
      ['username=ada&__proto__[polluted]=x', 'body'],
      ['', 'username'],
    ] as const) {
      const told = await app.get(`/username-available?${query}`)
      assert.deepEqual([told.status, told.json.errors?.[0]?.field], [400, field], query)
    }
    for (const body of [
      '{"__proto__":{"polluted":1}}',
      '{"constructor":{"prototype":{"polluted":1}}}',
      '{"email":{"__proto__":{"polluted":1}},"password":"x"}',
      '{"a":[{"__proto__":{"polluted":1}}]}',
    ]) {
      assert.equal((await app.post('/signin', body)).status, 400, body)
    }
    assert.equal(Reflect.get({}, 'polluted'), undefined)
    assert.equal(Object.hasOwn(Object.prototype, 'polluted'), false)
  })
})
