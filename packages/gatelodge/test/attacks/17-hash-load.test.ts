import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forEachDatabase, testApp } from '../support/app.ts'
import { inParallel, tally } from '../support/attack.ts'
import { withinPace } from '../support/pace.ts'
import { listen, request } from '../support/wire.ts'

const signIn = 'POST /api/v1/auth/signin'
const json = { 'content-type': 'application/json' }
const unlimited = { GATELODGE_RATE_LIMITS: 'off' }

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
})
