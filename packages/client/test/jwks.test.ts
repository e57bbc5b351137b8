import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AuthServiceUnavailable, InvalidToken } from '../src/errors.ts'
import { createResourceServer } from '../src/server.ts'
import { issuer, openResourceServer, type SigningKey, signed, signingKey, start, userClaims } from './support/issuer.ts'
import { listen } from './support/listen.ts'

const [old, next] = [signingKey('EdDSA', 'old'), signingKey('EdDSA', 'next')]
const minute = 60_000
const never = () => Promise.reject(new TypeError('fetch failed'))

test('keys are fetched on first use, once for any number of tokens, and cached for ten minutes', async () => {
  const { server, state } = openResourceServer([old])
  assert.deepEqual(state.fetched, [])
  await Promise.all(Array.from({ length: 20 }, () => server.verifyAccessToken(signed(old, userClaims()))))
  state.now += 10 * minute
  await server.verifyAccessToken(signed(old, userClaims(state.now)))
  assert.deepEqual(state.fetched, [`${issuer}/.well-known/jwks.json`])
  state.now += 1
  await server.verifyAccessToken(signed(old, userClaims(state.now)))
  assert.equal(state.fetched.length, 2)
})

test('a new key is accepted after one more request', async () => {
  const { server, state } = openResourceServer([old])
  await server.verifyAccessToken(signed(old, userClaims()))
  state.jwks = { keys: [old.jwk, next.jwk] }
  state.now += minute
  await Promise.all([1, 2, 3].map(() => server.verifyAccessToken(signed(next, userClaims(state.now)))))
  assert.equal(state.fetched.length, 2)
  await server.verifyAccessToken(signed(old, userClaims(state.now)))
})

test('invented key ids cause one request in thirty seconds', async () => {
  const { server, state } = openResourceServer([old])
  await server.verifyAccessToken(signed(old, userClaims()))
  state.now += minute
  const invent = (name: string) => server.verifyAccessToken(signed(old, userClaims(state.now), { kid: name }))
  for (let name = 0; name < 10; name += 1) {
    await assert.rejects(invent(`invented ${name}`), InvalidToken)
    state.now += 2_999
  }
  assert.equal(state.fetched.length, 2)
  state.now += 100
  await assert.rejects(invent('one more'), InvalidToken)
  assert.equal(state.fetched.length, 3)
})

test('a key that the issuer no longer lists is rejected', async () => {
  const { server, state } = openResourceServer([old])
  await server.verifyAccessToken(signed(old, userClaims()))
  state.jwks = { keys: [next.jwk] }
  state.now += 11 * minute
  await assert.rejects(server.verifyAccessToken(signed(old, userClaims(state.now))), InvalidToken)
  await server.verifyAccessToken(signed(next, userClaims(state.now)))
})

test('while the issuer is unreachable its known keys stay valid, and a new one cannot be verified', async () => {
  const { server, state } = openResourceServer([old])
  await server.verifyAccessToken(signed(old, userClaims()))
  for (const trouble of [
    never,
    () => new Response('<h1>Bad gateway</h1>', { status: 502 }),
    () => new Response('<h1>Hello</h1>'),
    () => Response.json({ keys: 'none' }),
    () => Response.json([]),
    () => Response.json({ keys: [next.jwk] }, { status: 500 }),
    () => new Response('x'.repeat(300_000)),
  ]) {
    state.instead = trouble
    state.now += 11 * minute
    await server.verifyAccessToken(signed(old, userClaims(state.now)))
    await assert.rejects(server.verifyAccessToken(signed(next, userClaims(state.now))), AuthServiceUnavailable)
  }
  assert.equal(state.fetched.length, 8, 'each trouble was met by one request')
  state.instead = undefined
  state.jwks = { keys: [next.jwk] }
  state.now += minute
  await server.verifyAccessToken(signed(next, userClaims(state.now)))
})

test('keys that could not be confirmed for a day are no longer accepted', async () => {
  const { server, state } = openResourceServer([old])
  await server.verifyAccessToken(signed(old, userClaims()))
  state.instead = never
  state.now += 24 * 60 * minute
  await server.verifyAccessToken(signed(old, userClaims(state.now)))
  state.now += 1
  await assert.rejects(server.verifyAccessToken(signed(old, userClaims(state.now))), AuthServiceUnavailable)
  state.instead = undefined
  state.now += minute
  await server.verifyAccessToken(signed(old, userClaims(state.now)))
})

test('without any key nothing is accepted, and the issuer is asked again after a second', async () => {
  const { server, state } = openResourceServer([old])
  state.instead = never
  for (let tries = 0; tries < 5; tries += 1)
    await assert.rejects(server.verifyAccessToken(signed(old, userClaims())), AuthServiceUnavailable)
  assert.equal(state.fetched.length, 1)
  state.instead = undefined
  state.now += 1_000
  await server.verifyAccessToken(signed(old, userClaims()))
})

test('a clock that is set back does not keep keys longer', async () => {
  const { server, state } = openResourceServer([old])
  await server.verifyAccessToken(signed(old, userClaims()))
  state.now -= 60 * minute
  state.jwks = { keys: [next.jwk] }
  await assert.rejects(server.verifyAccessToken(signed(old, userClaims(state.now))), InvalidToken)
})

test('everything in a JWKS that is not a public signature key is ignored, and the rest is used', async () => {
  const [ed, ec, short] = [signingKey('EdDSA', 'ed'), signingKey('ES256', 'ec'), signingKey('RS256', 'rsa', 1_024)]
  // Each key is valid except for one property, and each signs its own token.
  const odd: [key: SigningKey, name: string, change: object][] = [
    [ed, 'private', ed.privateKey.export({ format: 'jwk' })],
    [ed, 'for encryption', { use: 'enc' }],
    [ed, 'for wrapping', { key_ops: ['wrapKey'] }],
    [ed, 'key_ops is no list', { key_ops: 'verify' }],
    [ed, 'no alg', { alg: undefined }],
    [ed, 'the alg of another kind', { alg: 'RS256' }],
    [ed, 'a curve for encryption', { crv: 'X25519' }],
    [ed, 'another kty', { kty: 'EC' }],
    [ed, 'no x', { x: undefined }],
    [ed, 'short x', { x: 'AAAA' }],
    [ec, 'a point off the curve', { y: ec.jwk.x }],
    [ec, 'another curve', { crv: 'P-384' }],
    [ec, 'an EC key as EdDSA', { alg: 'EdDSA' }],
    [short, 'a short modulus', {}],
    [ed, 'oct', { kty: 'oct', k: 'AAAA', alg: 'HS256' }],
    [ed, 'oct as EdDSA', { kty: 'oct', k: 'AAAA' }],
  ]
  const { server, state } = openResourceServer([old])
  const keys = odd.map(([{ jwk }, kid, change]) => ({ ...jwk, kid, ...change }))
  state.jwks = { keys: [null, 1, 'x', [], {}, { kid: 1 }, ...keys, old.jwk], more: true }
  await server.verifyAccessToken(signed(old, userClaims()))
  for (const [key, kid] of odd)
    await assert.rejects(server.verifyAccessToken(signed(key, userClaims(), { kid })), InvalidToken, kid)
})

test('of two keys with one name neither is used', async () => {
  const twin = { ...next, kid: 'old', jwk: { ...next.jwk, kid: 'old' } }
  const { server } = openResourceServer([old, twin])
  await assert.rejects(server.verifyAccessToken(signed(old, userClaims())), InvalidToken)
  await assert.rejects(server.verifyAccessToken(signed(twin, userClaims())), InvalidToken)
})

test('redirects for keys are not followed, and requests for them time out', async () => {
  await using evil = await listen((_request, response) => response.end(JSON.stringify({ keys: [old.jwk] })))
  let answers = 0
  await using own = await listen((_request, response) => {
    answers += 1
    if (answers === 1) response.writeHead(302, { location: evil.origin }).end()
    else response.writeHead(200).write('{"keys":[')
  })
  const claims = { ...userClaims(), iss: own.origin, aud: own.origin }
  let now = start
  const server = createResourceServer({ issuer: own.origin, timeout: 1_000, now: () => now })
  await assert.rejects(server.verifyAccessToken(signed(old, claims)), AuthServiceUnavailable)
  now += 1_000
  await assert.rejects(server.verifyAccessToken(signed(old, claims)), AuthServiceUnavailable)
  assert.equal(answers, 2)
  assert.equal(evil.requests.length, 0)
})

test('an unresponsive issuer delays no request with a known key, except the first to notice', {
  timeout: 10_000,
}, async () => {
  const { server, state } = openResourceServer([old])
  await server.verifyAccessToken(signed(old, userClaims()))
  state.instead = never
  state.now += 11 * minute
  await server.verifyAccessToken(signed(old, userClaims(state.now)))
  assert.equal(state.fetched.length, 2)

  const silence = Promise.withResolvers<Response>()
  state.instead = () => silence.promise
  for (const wait of [29_999, 1, 1_000, 5_000]) {
    state.now += wait
    await server.verifyAccessToken(signed(old, userClaims(state.now)))
  }
  assert.equal(state.fetched.length, 3, 'one request in the background')

  const unknown = server.verifyAccessToken(signed(next, userClaims(state.now)))
  silence.resolve(Response.json({ keys: [next.jwk] }))
  await unknown
  await assert.rejects(server.verifyAccessToken(signed(old, userClaims(state.now))), InvalidToken)
  assert.equal(state.fetched.length, 3)
})

test('after a period without requests the issuer is asked first, so that a key withdrawn meanwhile is rejected', async () => {
  const { server, state } = openResourceServer([old])
  await server.verifyAccessToken(signed(old, userClaims()))
  state.instead = never
  state.now += 11 * minute
  await server.verifyAccessToken(signed(old, userClaims(state.now)))
  state.instead = undefined
  state.jwks = { keys: [next.jwk] }
  state.now += 11 * minute
  await assert.rejects(server.verifyAccessToken(signed(old, userClaims(state.now))), InvalidToken)
})

test('while keys are being fetched, no second request is sent', async () => {
  const { server, state } = openResourceServer([old])
  const answer = Promise.withResolvers<Response>()
  state.instead = () => answer.promise
  const first = server.verifyAccessToken(signed(old, userClaims()))
  state.now += 2_000
  const second = server.verifyAccessToken(signed(old, userClaims()))
  answer.resolve(Response.json(state.jwks))
  await Promise.all([first, second])
  assert.equal(state.fetched.length, 1)
})

test('a request for keys that never ends is abandoned', { timeout: 10_000 }, async () => {
  const { server, state } = openResourceServer([old])
  await server.verifyAccessToken(signed(old, userClaims()))
  state.instead = never
  state.now += 11 * minute
  await server.verifyAccessToken(signed(old, userClaims(state.now)))
  state.instead = () => new Promise(() => {})
  state.now += minute
  await server.verifyAccessToken(signed(old, userClaims(state.now)))
  state.instead = undefined
  state.jwks = { keys: [next.jwk] }
  state.now += minute
  await server.verifyAccessToken(signed(next, userClaims(state.now)))
})

test('a JWKS that cannot be parsed counts as a failure of the issuer', async () => {
  const { server, state } = openResourceServer([old])
  state.jwks = { keys: [{ ...old.jwk, x: { toString: 1 } }] }
  await assert.rejects(server.verifyAccessToken(signed(old, userClaims())), AuthServiceUnavailable)
})
