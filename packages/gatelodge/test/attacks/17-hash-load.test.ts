import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hashKey } from '../../src/domain/passwords/hash-key.ts'
import { systemActor } from '../../src/kernel/actor.ts'
import { forEachDatabase, type TestApp, testApp } from '../support/app.ts'
import { inParallel, tally, turn } from '../support/attack.ts'
import { withinPace } from '../support/pace.ts'
import { listen, request } from '../support/wire.ts'

const signIn = 'POST /api/v1/auth/signin'
const json = { 'content-type': 'application/json' }
/** The networks that a flood of strangers comes from. */
const floods = {
  'in one /48': (at: number) => `2001:db8:1:${hex(at)}::1`,
  'in one /32': (at: number) => `2001:db8:${hex(at)}:1::1`,
  'in one /16 of IPv4': (at: number) => `203.0.${(at >> 8) & 255}.${at & 255}`,
  'spread over many /32': (at: number) => `${hex(0x2400 + (at & 4_095))}:${hex(at)}:1:1::1`,
}
const unlimited = { GATELODGE_RATE_LIMITS: 'off' }

const hex = (value: number) => (value & 65_535).toString(16)

async function* chunks(head: string, size: number, count: number): AsyncGenerator<string> {
  yield head
  const part = `${size.toString(16)}\r\n${'x'.repeat(size)}\r\n`
  for (let sent = 0; sent < count; sent += 1) yield part
  yield '0\r\n\r\n'
}

forEachDatabase('17 hash load', (engine) => {
  test('a password of a megabyte or more costs neither a hash nor memory', async () => {
    await using app = await testApp({ engine })
    await using wire = await listen(app)
    await app.deps.hasher.close() // from here on every request for a hash gets 503

    const megabyte = JSON.stringify({ email: 'ada@example.com', password: 'x'.repeat(2 ** 20) })
    const [one] = await withinPace('a megabyte', 50, () => wire.send(request(signIn, {}, megabyte)))
    assert.deepEqual([one?.status, JSON.parse(one?.body ?? '{}').code], [413, 'body_too_large'])

    const [declared] = await wire.send(request(signIn, { ...json, 'content-length': '104857600' }))
    assert.equal(declared?.status, 413)
    const before = process.memoryUsage().rss
    const head = request(signIn, { ...json, 'transfer-encoding': 'chunked' })
    const [streamed] = await wire.send(chunks(head, 65_536, 1_600))
    assert.ok(streamed === undefined || streamed.status === 413)
    assert.ok(process.memoryUsage().rss - before < 64 * 2 ** 20)
    assert.equal((await wire.send(request('GET /healthz')))[0]?.status, 200)

    const control = await wire.send(request(signIn, {}, JSON.stringify({ email: 'ada@example.com', password: 'x' })))
    assert.equal(control[0]?.status, 503)
  })

  test('three megabytes, chunked or declared, are answered 413 so that the client can read it', async () => {
    await using app = await testApp({ engine })
    await using wire = await listen(app)
    const body = 'x'.repeat(1_500_000)
    const [declared] = await wire.send(request(signIn, json, body))
    assert.equal(declared?.status, 413)
    const [chunked] = await wire.send(chunks(request(signIn, { ...json, 'transfer-encoding': 'chunked' }), 65_536, 20))
    assert.equal(chunked?.status, 413)
    const [large] = await wire.send(request(signIn, json, 'x'.repeat(3 * 2 ** 20)))
    assert.ok(large === undefined || large.status === 413) // beyond 2 MiB the server may disconnect
  })

  test('200 parallel sign-ins wait in one bounded line, and the rest of the server answers meanwhile', async () => {
    await using app = await testApp({ engine, env: unlimited, passwordHash: { memoryKiB: 1_024, passes: 2, lanes: 1 } })
    let most = 0
    let done = false
    const watch = (async () => {
      while (!done) {
        assert.equal((await withinPace('healthz', 100, () => app.get('/healthz'))).status, 200)
        const { running, waiting } = app.deps.hasher.load()
        most = Math.max(most, running + waiting)
        await new Promise((resolve) => setImmediate(resolve))
      }
    })()
    const told = await inParallel(200, (index) =>
      app.post('/signin', { email: `p${index}@example.com`, password: 'wrong harbour' }),
    )
    done = true
    await watch
    assert.deepEqual(tally(told.map(({ code }) => code)), { invalid_credentials: 200 })
    assert.ok(most > 50, `${most} at once`)
  })

  test('beyond the line sign-ins are refused with 503 and Retry-After, and nothing is left waiting', async () => {
    await using app = await testApp({ engine, env: unlimited, passwordHash: { memoryKiB: 4_096, passes: 2, lanes: 1 } })
    const told = await inParallel(400, (index) =>
      app.post('/signin', { email: `p${index}@example.com`, password: 'wrong harbour' }),
    )
    const counts = tally(told.map(({ code }) => code))
    assert.ok((counts.overloaded ?? 0) > 50, JSON.stringify(counts))
    assert.equal((counts.overloaded ?? 0) + (counts.invalid_credentials ?? 0), 400)
    for (const { code, status, headers } of told) {
      if (code !== 'overloaded') continue
      assert.equal(status, 503)
      assert.match(headers.get('retry-after') ?? '', /^[1-9]\d*$/)
    }
    assert.partialDeepStrictEqual(app.deps.hasher.load(), { running: 0, waiting: 0 })
  })

  for (const [place, floodFrom] of Object.entries(floods)) {
    test(`a flood from fresh networks ${place} leaves a known device, a session and a mailed link their turns`, async () => {
      await using app = await testApp({ engine, passwordHash: { memoryKiB: 1_024, passes: 2, lanes: 1 } })
      const [ada, bob] = [await app.user(), await app.user()]
      const first = await app.post('/signin', { email: ada.email, password: ada.password, session: 'cookie' })
      const device = { headers: { cookie: `gatelodge-device=${first.cookie('gatelodge-device')}` } }
      let cookie = first.cookie('gatelodge') ?? ''

      await using _ = flood(app, floodFrom)
      for (let round = 0; round < 5; round += 1) {
        const right = { email: ada.email, password: ada.password }
        assert.equal((await app.post('/signin', right, device)).status, 200, `sign-in ${round}`)
        const proved = await app.post('/reauthenticate', { password: ada.password }, { cookie })
        assert.equal(proved.status, 200, `proof ${round}`)
        cookie = proved.cookie('gatelodge') ?? ''
      }
      const change = { old_password: ada.password, new_password: 'another harbour 53' }
      assert.equal((await app.post('/change-password', change, { cookie })).status, 200)
      await app.post('/forgot-password', { email: bob.email })
      const { token } = await app.lastMail(bob.email)
      assert.equal((await app.post('/reset-password', { token, new_password: 'another harbour 53' })).status, 200)
    })
  }

  test('a newcomer loses no place to a network that floods from ever new parts of it', async () => {
    for (const place of ['in one /48', 'in one /32', 'in one /16 of IPv4'] as const) {
      await using app = await testApp({ engine, passwordHash: { memoryKiB: 1_024, passes: 2, lanes: 1 } })
      await using _ = flood(app, floods[place])
      for (const ip of ['2001:db9::1', '198.51.100.7', '2001:db9::1', '198.51.100.7', '192.0.2.9'])
        assert.equal((await app.post('/signin', { email: 'n@example.com', password: 'wrong' }, { ip })).status, 401)
    }
  })
})

/** Keeps the hash queue full of strangers' requests, each from a new address, until disposed of. */
function flood(app: TestApp, floodFrom: (at: number) => string): AsyncDisposable {
  const { hasher } = app.deps
  const asked: Promise<unknown>[] = []
  let isOver = false
  const refill = () => {
    for (const { refused } = hasher.load(); hasher.load().refused === refused; ) {
      const key = hashKey({ ...systemActor('library', 'test'), ip: floodFrom(asked.length) })
      asked.push(hasher.verify(null, 'wrong harbour', key).catch(() => false))
    }
  }
  refill()
  const going = (async () => {
    while (!isOver) {
      await turn()
      refill()
    }
  })()
  return {
    async [Symbol.asyncDispose]() {
      isOver = true
      await going
      await Promise.all(asked)
    },
  }
}
