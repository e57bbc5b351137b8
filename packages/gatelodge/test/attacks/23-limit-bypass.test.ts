import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Ask, forEachDatabase, type TestApp, testApp } from '../support/app.ts'
import { tally } from '../support/attack.ts'

/** Sends wrong sign-ins for different accounts, so that only the address's own budget counts. */
async function guess(app: TestApp, times: number, askOf: (round: number) => Ask): Promise<Record<string, number>> {
  const codes = []
  for (let round = 0; round < times; round += 1) {
    codes.push(
      (await app.post('/signin', { email: `p${round}@example.com`, password: 'wrong harbour' }, askOf(round))).code,
    )
  }
  return tally(codes)
}

const address = (round: number) => `203.0.113.${round}`

forEachDatabase('23 limit bypass', (engine) => {
  test('headers that name another address are ignored without a trusted proxy', async () => {
    await using app = await testApp({ engine })
    const names = ['x-forwarded-for', 'x-real-ip', 'cf-connecting-ip', 'true-client-ip', 'x-client-ip', 'forwarded']
    const counts = await guess(app, 36, (round) => {
      const name = names[round % names.length] ?? ''
      return { headers: { [name]: name === 'forwarded' ? `for=${address(round)}` : address(round) } }
    })
    assert.deepEqual(counts, { invalid_credentials: 30, rate_limited: 6 })
  })

  test('behind a trusted proxy only what it appended counts, and nonsense counts against the proxy', async () => {
    await using app = await testApp({ engine, env: { GATELODGE_TRUSTED_PROXIES: '10.0.0.0/8' } })
    const spoofed = await guess(app, 33, (round) => ({
      ip: '10.0.0.1',
      headers: { 'x-forwarded-for': `${address(round)}, 198.51.100.7` },
    }))
    assert.deepEqual(spoofed, { invalid_credentials: 30, rate_limited: 3 })

    const nonsense = [
      'a',
      '',
      ',',
      'unknown',
      '1.2.3',
      '999.1.1.1',
      'x'.repeat(900),
      '127.0.0.1:port',
      "' or 1=1",
      '::g',
    ]
    const broken = await guess(app, 33, (round) => ({
      ip: '10.0.0.2',
      headers: { 'x-forwarded-for': nonsense[round % nonsense.length] ?? '' },
    }))
    assert.deepEqual(broken, { invalid_credentials: 30, rate_limited: 3 })
  })

  test('one IPv6 network of 64 bits is one client, in every spelling', async () => {
    await using app = await testApp({ engine })
    const spellings = (round: number) => [
      `2001:db8:0:1::${round.toString(16)}`,
      `2001:0db8:0000:0001:${round}:0:0:1`,
      `2001:DB8:0:1:ffff::${round}`,
      `2001:db8::1:${round}:0:0:1`,
    ]
    const counts = await guess(app, 36, (round) => ({ ip: spellings(round)[round % 4] ?? '' }))
    assert.deepEqual(counts, { invalid_credentials: 30, rate_limited: 6 })
    const mapped = await guess(app, 36, (round) => ({ ip: round % 2 ? '192.0.2.77' : '::ffff:192.0.2.77' }))
    assert.deepEqual(mapped, { invalid_credentials: 30, rate_limited: 6 })
  })

  test('an account’s own count does not depend on the spelling of its name', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user({ email: 'ada@example.com', username: 'ada-l' })
    for (const [at, names] of [
      [
        { email: ada.email },
        { email: 'ADA@example.com' },
        { identifier: ' ada@EXAMPLE.com ' },
        { identifier: 'Ada@Example.Com' },
      ],
      [{ username: 'ada-l' }, { username: 'ADA-L' }, { identifier: 'Ada-L' }, { identifier: ' ada-l' }],
    ].entries()) {
      const codes = []
      for (let round = 0; round < 14; round += 1) {
        const ip = address(round + at * 100)
        codes.push(
          (await app.post('/signin', { ...names[round % names.length], password: 'wrong harbour' }, { ip })).code,
        )
      }
      assert.deepEqual(tally(codes), { invalid_credentials: 10, rate_limited: 4 })
    }
  })

  test('no other spelling of the path reaches the route', async () => {
    await using app = await testApp({ engine })
    for (const path of [
      '/api/v1/auth//signin',
      '/api/v1/auth/signin/',
      '/api/v1/auth/SIGNIN',
      '/API/v1/auth/signin',
      '//api/v1/auth/signin',
      '/api/v1/auth/signin;x',
      '/api/v1/auth/signin%20',
      '/api/v1/auth/signin.json',
      '/api/v1/auth/%2e/signin%00',
    ]) {
      const request = new Request(`http://localhost:3000${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{"email":"ada@example.com","password":"wrong harbour"}',
      })
      assert.equal((await app.composition.fetch(request, { peer: '192.0.2.1' })).status, 404, path)
    }
  })

  test('every route that checks a secret is limited by address', async () => {
    await using app = await testApp({ engine })
    const garbage = (round: number) => `${String(round).padStart(22, 'A')}.${'B'.repeat(43)}`
    for (const [path, bodyOf] of [
      ['/refresh', (round: number) => ({ refresh_token: garbage(round) })],
      ['/verify-email', (round: number) => ({ token: garbage(round) })],
      ['/reset-password', (round: number) => ({ token: garbage(round), new_password: 'another harbour 53' })],
      ['/change-email/confirm', (round: number) => ({ token: garbage(round) })],
      ['/change-email/undo', (round: number) => ({ token: garbage(round) })],
    ] as const) {
      const codes = []
      for (let round = 0; round < 62; round += 1)
        codes.push((await app.post(path, bodyOf(round), { ip: '198.51.100.9' })).code)
      assert.ok((tally(codes).token_invalid ?? 0) <= 60, path)
      assert.equal(codes.at(-1), 'rate_limited', path)
      assert.notEqual((await app.post(path, bodyOf(99), { ip: '198.51.100.10' })).code, 'rate_limited')
      app.clock.advance(3_600_000)
    }
  })
})
