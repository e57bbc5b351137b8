import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forEachDatabase, testApp } from '../support/app.ts'
import { listen, request, type WireAnswer } from '../support/wire.ts'

const signIn = 'POST /api/v1/auth/signin'
const json = { 'content-type': 'application/json' }

function raw(head: string, body: Uint8Array | string = ''): Buffer {
  return Buffer.concat([Buffer.from(head, 'latin1'), Buffer.from(body)])
}

function assertProblem(answer: WireAnswer | undefined, status: number, name: string): void {
  assert.equal(answer?.status, status, name)
  assert.deepEqual(answer?.headers.get('content-type'), ['application/problem+json'], name)
  const problem = JSON.parse(answer?.body ?? '')
  assert.equal(problem.status, status, name)
  assert.match(problem.instance, /^urn:uuid:/, name)
  assert.doesNotMatch(answer?.body ?? '', / at \S+ \(|node:|\.ts\b|select |stack/i, name)
}

forEachDatabase('30 errors', (engine) => {
  test('broken bodies, headers and paths are answered as problems, and the next request is served', async () => {
    await using app = await testApp({ engine })
    await using wire = await listen(app)
    const invalidUtf8 = Buffer.concat([Buffer.from('{"email":"'), Buffer.from([0xff, 0xc0, 0x80]), Buffer.from('"}')])
    const overlong = Buffer.from([0x7b, 0x22, 0xc0, 0xa2, 0x22, 0x3a, 0x31, 0x7d])
    const utf16 = Buffer.from('\ufeff{"email":"a@example.com"}', 'utf16le')
    const post = (body: Uint8Array | string, headers: Record<string, string> = {}) =>
      raw(request(signIn, { ...json, 'content-length': `${Buffer.byteLength(body)}`, ...headers }), body)

    const cases: readonly (readonly [name: string, status: number, bytes: string | Buffer])[] = [
      ['broken JSON', 400, post('{"email":')],
      ['nothing at all', 400, post('', { 'content-length': '0' })],
      ['two values', 400, post('{} {}')],
      ['NaN', 400, post('{"password":NaN}')],
      ['a byte order mark', 400, post('\ufeff{}')],
      ['invalid UTF-8', 400, post(invalidUtf8)],
      ['overlong UTF-8', 400, post(overlong)],
      ['UTF-16', 400, post(utf16)],
      ['a list', 400, post('[]')],
      ['a string', 400, post('"x"')],
      ['null', 400, post('null')],
      ['a huge number', 400, post(`{"password":1e999}`)],
      ['60,000 lists in each other', 400, post('['.repeat(30_000) + ']'.repeat(30_000))],
      ['10,000 objects in each other', 400, post(`${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`)],
      ['a bearer of nonsense', 401, request('GET /api/v1/auth/session', { authorization: 'Bearer %' })],
      ['a bearer without token', 401, request('GET /api/v1/auth/session', { authorization: 'Bearer' })],
      ['another scheme', 401, request('GET /api/v1/auth/session', { authorization: 'Negotiate AAAA' })],
      [
        'raw bytes in Authorization',
        401,
        raw(request('GET /api/v1/auth/session', { authorization: 'Bearer \xff\xfe' })),
      ],
      ['a malformed escape in the path', 404, request('GET /api/v1/auth/%')],
      ['bytes that are no UTF-8 in the path', 404, request('GET /api/v1/auth/%ff%fe')],
      ['NUL in the path', 404, request('GET /%00')],
      ['a malformed escape in the query', 400, request('GET /api/v1/auth/username-available?username=%')],
      ['an unknown method', 405, request('PURGE /api/v1/auth/signin')],
      ['PROPFIND', 405, request('PROPFIND /api/v1/auth/session')],
      ['OPTIONS of everything', 404, request('OPTIONS *')],
      ['an absolute request line with a user part', 404, request('GET http://a:b@evil.test/nowhere')],
      ['an absolute request line without a path', 405, request('DELETE http://evil.test?x')],
      ['TRACE', 405, request('TRACE /api/v1/auth/session', { cookie: 'gatelodge=canary' })],
      ['TRACE of nothing', 404, request('TRACE /nowhere')],
    ]
    for (const [name, status, bytes] of cases) {
      const [answer] = await wire.send(bytes)
      assertProblem(answer, status, name)
      assert.doesNotMatch(answer?.body ?? '', /canary/, name)
    }
    assert.equal((await wire.send(request('GET /healthz')))[0]?.status, 200)
    assert.deepEqual(
      app.logged.filter(({ level }) => level === 'error'),
      [],
    )
  })

  test('headers of 64 kB are refused on their own connection only', async () => {
    await using app = await testApp({ engine })
    await using wire = await listen(app)
    for (const headers of [
      { 'x-large': 'x'.repeat(65_536) },
      { cookie: `gatelodge=${'x'.repeat(65_536)}` },
      { authorization: `Bearer ${'x'.repeat(65_536)}` },
    ]) {
      const [answer] = await wire.send(request('GET /api/v1/auth/session', headers))
      assert.equal(answer?.status, 431)
    }
    const many = Object.fromEntries(Array.from({ length: 3_000 }, (_, index) => [`x-${index}`, '']))
    const [answer] = await wire.send(request('GET /healthz', many))
    assert.ok([200, 431].includes(answer?.status ?? 0))
    assert.equal((await wire.send(request('GET /healthz')))[0]?.status, 200)
  })

  test('requests that two parsers would read differently are refused', async () => {
    await using app = await testApp({ engine })
    await using wire = await listen(app)
    const smuggled = 'GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n'
    for (const headers of [
      { 'content-length': '5', 'transfer-encoding': 'chunked' },
      { 'transfer-encoding': 'chunked, identity' },
      { 'transfer-encoding': 'xchunked' },
      { 'content-length': '+5' },
      { 'content-length': '5, 6' },
    ]) {
      const answers = await wire.send(`${request(signIn, { ...json, ...headers })}0\r\n\r\n${smuggled}`)
      assert.deepEqual(
        answers.map(({ status }) => status),
        [400],
        JSON.stringify(headers),
      )
    }
    const twice = request(signIn, json).replace('\r\n\r\n', '\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}x')
    assert.deepEqual(
      (await wire.send(twice)).map(({ status }) => status),
      [400],
    )
  })

  test('after a refused body the connection is closed or the next request on it is served, never misread', async () => {
    await using app = await testApp({ engine })
    await using wire = await listen(app)
    for (const size of [70_000, 2 ** 20, 3 * 2 ** 20]) {
      const first = request(signIn, json, 'x'.repeat(size), { keep: true })
      const second = request('GET /api/v1/auth/session')
      const answers = await wire.send(first + second)
      const statuses = answers.map(({ status }) => status)
      assert.ok(['413,401', '413', ''].includes(statuses.join()), `${size}: ${statuses}`)
      if (size < 2 ** 20) assert.deepEqual(statuses, [413, 401])
    }
    const pipelined = await wire.send(
      [
        request('GET /healthz', {}, '', { keep: true }),
        request(signIn, json, '{"x":1}', { keep: true }),
        request('GET /nowhere'),
      ].join(''),
    )
    assert.deepEqual(
      pipelined.map(({ status }) => status),
      [200, 400, 404],
    )
  })

  test('a client that sends half a body and leaves costs nothing', async () => {
    await using app = await testApp({ engine })
    await using wire = await listen(app)
    const half = `${request(signIn, { ...json, 'content-length': '1000' })}{"email":`
    assert.deepEqual(await Promise.all(Array.from({ length: 20 }, () => wire.send(half, 50))), Array(20).fill([]))
    assert.equal((await wire.send(request('GET /healthz')))[0]?.status, 200)
    assert.deepEqual(
      app.logged.filter(({ level }) => level === 'error'),
      [],
    )
  })
})
