import assert from 'node:assert/strict'
import { sign } from 'node:crypto'
import { test } from 'node:test'
import { decodeJwt, SignJWT } from 'jose'
import { forEachDatabase, type Person, type TestApp, testApp } from '../../gatelodge/test/support/app.ts'
import { withinPace } from '../../gatelodge/test/support/pace.ts'
import { InvalidToken } from '../src/errors.ts'
import { createResourceServer } from '../src/server.ts'
import { fetchOf } from './support/around.ts'
import {
  clientClaims,
  encode,
  hmac,
  issuer,
  openResourceServer,
  type SigningKey,
  signatureOf,
  signed,
  signingKey,
  start,
  userClaims,
} from './support/issuer.ts'
import { listen } from './support/listen.ts'

const jwksUrl = `${issuer}/.well-known/jwks.json`
const keys = [signingKey('EdDSA', 'ed'), signingKey('ES256', 'ec'), signingKey('RS256', 'rsa')] as const
const [ed, ec, rsa] = keys

function withSignature(header: object, claims: object, signature: (input: string) => Buffer): string {
  const input = `${encode(header)}.${encode(claims)}`
  return `${input}.${signature(input).toString('base64url')}`
}

/** Checks that each token is rejected without any request except the one for the issuer's keys. */
async function assertRefused(forged: Readonly<Record<string, string>>): Promise<void> {
  const { server, state } = openResourceServer(keys)
  for (const key of keys) await server.verifyAccessToken(signed(key, userClaims()))
  for (const [name, token] of Object.entries(forged)) {
    await withinPace(name, 50, () => assert.rejects(server.verifyAccessToken(token), InvalidToken, name))
  }
  assert.deepEqual([...new Set(state.fetched)], [jwksUrl])
}

test('a valid token of each algorithm is accepted, with its claims', async () => {
  const { server } = openResourceServer(keys)
  for (const key of keys) {
    const { iss, sub, aud, client_id, exp, iat, jti, sid, roles } = userClaims()
    assert.deepEqual(await server.verifyAccessToken(signed(key, userClaims())), {
      kind: 'user',
      ...{ iss, sub, aud, client_id, scope: '', exp, iat, sid, roles, jti },
    })
    const client = await server.verifyAccessToken(signed(key, clientClaims()), { kind: 'client' })
    assert.deepEqual([client.kind, client.sub, client.scope], ['client', 'client_billing', 'orders:read orders:write'])
  }
  for (const typ of ['AT+JWT', 'application/at+jwt', 'Application/AT+JWT'])
    await server.verifyAccessToken(signed(ed, userClaims(), { typ }))
  await server.verifyAccessToken(signed(ed, { ...userClaims(), aud: ['https://other.example.com', issuer] }))
})

test('no algorithm except that of the key is accepted', async () => {
  const header = { typ: 'at+jwt', kid: 'ed' }
  const good = signed(ed, userClaims())
  const [head = '', body = ''] = good.split('.')
  const none = () => Buffer.alloc(0)
  const pem = ed.publicKey.export({ type: 'spki', format: 'pem' })
  const rsaPem = rsa.publicKey.export({ type: 'spki', format: 'pem' })
  const forged: Record<string, string> = {
    'empty signature': `${head}.${body}.`,
    'no signature': `${head}.${body}`,
    'zero signature': withSignature({ ...header, alg: 'EdDSA' }, userClaims(), () => Buffer.alloc(64)),
    'no alg': withSignature(header, userClaims(), none),
    'alg as a list': withSignature({ ...header, alg: ['EdDSA'] }, userClaims(), (input) =>
      signatureOf('EdDSA', ed.privateKey, input),
    ),
    'HS256 under the PEM': withSignature({ ...header, alg: 'HS256' }, userClaims(), (input) => hmac(pem, input)),
    'HS256 under the PEM of RSA': withSignature({ ...header, alg: 'HS256', kid: 'rsa' }, userClaims(), (input) =>
      hmac(rsaPem, input),
    ),
    'HS256 under the JWK': withSignature({ ...header, alg: 'HS256' }, userClaims(), (input) =>
      hmac(JSON.stringify(ed.jwk), input),
    ),
    'HS256 under the raw key': withSignature({ ...header, alg: 'HS256' }, userClaims(), (input) =>
      hmac(Buffer.from(String(ed.jwk.x), 'base64url'), input),
    ),
    'HS256 under nothing': withSignature({ ...header, alg: 'HS256' }, userClaims(), (input) => hmac('', input)),
    'PS256 with the key of RS256': withSignature({ ...header, alg: 'PS256', kid: 'rsa' }, userClaims(), (input) =>
      signatureOf('RS256', rsa.privateKey, input),
    ),
    'ES256 of zeros': withSignature({ ...header, alg: 'ES256', kid: 'ec' }, userClaims(), () => Buffer.alloc(64)),
    'ES256 in DER': withSignature({ ...header, alg: 'ES256', kid: 'ec' }, userClaims(), (input) =>
      sign('sha256', Buffer.from(input), ec.privateKey),
    ),
    'the algorithm of another key': withSignature({ ...header, alg: 'ES256' }, userClaims(), (input) =>
      signatureOf('ES256', ec.privateKey, input),
    ),
    'the key of another algorithm': withSignature({ ...header, alg: 'EdDSA', kid: 'ec' }, userClaims(), (input) =>
      signatureOf('EdDSA', ed.privateKey, input),
    ),
  }
  for (const alg of ['none', 'None', 'nOnE', 'NONE', '', 'eddsa', 'es256']) {
    forged[`alg ${alg} without a signature`] = withSignature({ ...header, alg }, userClaims(), none)
    forged[`alg ${alg} with one`] = withSignature({ ...header, alg }, userClaims(), (input) =>
      signatureOf('EdDSA', ed.privateKey, input),
    )
  }
  await assertRefused(forged)
})

test('no key that the token contains or refers to is used, and none is fetched', async () => {
  await using canary = await listen((_request, response) => response.end('{"keys":[]}'))
  const trap = `${canary.origin}/jwks.json`
  const mine = signingKey('EdDSA', 'ed')
  const theirs = (header: object) => signed({ ...mine, ...header } as SigningKey, userClaims(), { ...header })
  await assertRefused({
    'another key under our kid': theirs({}),
    'embedded jwk': theirs({ jwk: mine.jwk }),
    'embedded jwk without kid': theirs({ jwk: mine.jwk, kid: undefined }),
    jku: theirs({ jku: trap }),
    'jku with the attacker’s kid': theirs({ jku: trap, kid: 'theirs' }),
    x5u: theirs({ x5u: trap }),
    x5c: theirs({ x5c: ['MIIB'] }),
    'our own signature with a jku': signed(ed, userClaims(), { jku: trap }),
    'our own signature with an embedded jwk': signed(ed, userClaims(), { jwk: ed.jwk }),
    'kid traversal': theirs({ kid: '../../../../dev/null' }),
    'kid SQL': theirs({ kid: "x' union select 'k" }),
    'kid URL': theirs({ kid: trap }),
    'kid unknown': theirs({ kid: 'unknown' }),
    'kid empty': theirs({ kid: '' }),
    'kid list': theirs({ kid: ['ed'] }),
    'kid number': theirs({ kid: 1 }),
    'kid __proto__': theirs({ kid: '__proto__' }),
    'no kid': signed(ed, userClaims(), { kid: undefined }),
  })
  assert.equal(canary.requests.length, 0)
})

test('only the compact serialization with one signature is parsed, and only canonical base64url', async () => {
  const good = signed(ed, userClaims())
  const [head = '', body = '', signature = ''] = good.split('.')
  const last = signature.slice(-1)
  const twin = String.fromCharCode(last.charCodeAt(0) + 1)
  const text = Buffer.from(body, 'base64url').toString()
  const bytes = (raw: Buffer) => signed(ed, raw.toString('base64url'))
  await assertRefused({
    'JSON serialization': JSON.stringify({ payload: body, protected: head, signature }),
    'general JSON serialization': JSON.stringify({ payload: body, signatures: [{ protected: head, signature }] }),
    'a JWE with a huge p2c': `${encode({ alg: 'PBES2-HS512+A256KW', enc: 'A256GCM', p2c: 2_147_483_647, p2s: 'AAAA', typ: 'at+jwt', kid: 'ed' })}.AAAA.AAAA.AAAA.AAAA`,
    'four parts': `${good}.x`,
    'two parts': `${head}.${body}`,
    'only dots': '..',
    nothing: '',
    blank: ' ',
    'a blank behind': `${good} `,
    'a line end behind': `${good}\n`,
    'padded base64': `${head}.${body}.${signature}==`,
    'base64 of another alphabet': `${head}.${body}.${signature.replaceAll('-', '+').replaceAll('_', '/')}+`,
    'bits that stand for nothing': `${head}.${body}.${signature.slice(0, -1)}${twin}`,
    'another text of the same signature': `${head}.${body}.${signature}A`,
    'claims that are a list': signed(ed, [userClaims()]),
    'claims that are null': signed(ed, null),
    'claims that are no JSON': bytes(Buffer.from('hello')),
    'claims in invalid UTF-8': bytes(
      Buffer.concat([Buffer.from(text.slice(0, -1)), Buffer.from([0x2c, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])]),
    ),
    'claims behind a byte order mark': bytes(Buffer.from(`\ufeff${text}`)),
    'a claim twice': bytes(Buffer.from(text.replace('{', '{"sub":"administrator",'))),
    'a claim twice, once escaped': bytes(Buffer.from(text.replace('{', '{"su\\u0062":"administrator",'))),
    'a claim twice below another': bytes(Buffer.from(text.replace('{', '{"x":[{"a":1,"a":2}],'))),
    '100 kB': `${head}.${Buffer.alloc(75_000, 'a').toString('base64url')}.${signature}`,
    '100 kB of claims under our signature': signed(ed, { ...userClaims(), x: 'x'.repeat(100_000) }),
    'a deep nest': bytes(Buffer.from(`${'['.repeat(2_900)}${']'.repeat(2_900)}`)),
    'a deep nest among the claims': bytes(
      Buffer.from(text.replace('{', `{"sub":1,"x":${'['.repeat(2_500)}${']'.repeat(2_500)},`)),
    ),
  })
})

test('header members that change the meaning of a signature are rejected, known or not', async () => {
  await assertRefused({
    'unknown crit': signed(ed, userClaims(), { crit: ['x'], x: 1 }),
    'empty crit': signed(ed, userClaims(), { crit: [] }),
    'crit b64': signed(ed, userClaims(), { crit: ['b64'], b64: false }),
    'b64 false': signed(ed, userClaims(), { b64: false }),
    'b64 true': signed(ed, userClaims(), { b64: true }),
    enc: signed(ed, userClaims(), { enc: 'A256GCM' }),
    zip: signed(ed, userClaims(), { zip: 'DEF' }),
  })
})

test('nothing else signed with the same key is accepted as an access token', async () => {
  const seconds = start / 1_000
  const types = ['JWT', 'jwt', 'id+jwt', 'mfa+jwt', 'logout+jwt', 'dpop+jwt', 'rt+jwt', 'at+jwt ', 'xat+jwt', 'at jwt']
  const forged = Object.fromEntries(types.map((typ) => [`typ ${typ}`, signed(ed, userClaims(), { typ })]))
  await assertRefused({
    ...forged,
    'no typ': signed(ed, userClaims(), { typ: undefined }),
    'typ list': signed(ed, userClaims(), { typ: ['at+jwt'] }),
    'text/at+jwt': signed(ed, userClaims(), { typ: 'text/at+jwt' }),
    'an ID token': signed(
      ed,
      { iss: issuer, sub: 'x', aud: issuer, exp: seconds + 60, iat: seconds, nonce: 'n' },
      { typ: 'JWT' },
    ),
    'the text of a refresh token': `${'A'.repeat(22)}.${'B'.repeat(43)}`,
    'the text of an API token': `gatelodge_pat_${'A'.repeat(22)}.${'B'.repeat(43)}`,
  })
})

test('claims must be complete, from this issuer, for this audience and valid now', async () => {
  const good = userClaims()
  const seconds = start / 1_000
  const changed = (change: object) => signed(ed, { ...good, ...change })
  const forged: Record<string, string> = {
    'another issuer': changed({ iss: 'https://evil.example.com' }),
    'issuer with a slash': changed({ iss: `${issuer}/` }),
    'issuer in capitals': changed({ iss: issuer.toUpperCase() }),
    'issuer list': changed({ iss: [issuer] }),
    'another audience': changed({ aud: 'https://other.example.com' }),
    'audience with a slash': changed({ aud: `${issuer}/` }),
    'audience as a part': changed({ aud: `${issuer}.evil.example.com` }),
    'audiences without ours': changed({ aud: ['a', `${issuer}x`] }),
    'no audiences': changed({ aud: [] }),
    'audiences with a number': changed({ aud: [issuer, 1] }),
    'audience object': changed({ aud: { [issuer]: true } }),
    expired: changed({ exp: seconds }),
    'expired a second ago': changed({ exp: seconds - 1 }),
    'expired long ago': changed({ exp: 0 }),
    'exp text': changed({ exp: String(seconds + 60) }),
    'exp null': changed({ exp: null }),
    'exp never': signed(
      ed,
      Buffer.from(JSON.stringify({ ...good, exp: 0 }).replace('"exp":0', '"exp":1e999')).toString('base64url'),
    ),
    'nbf in the future': changed({ nbf: seconds + 61 }),
    'nbf text': changed({ nbf: '0' }),
    'iat in the future': changed({ iat: seconds + 61 }),
    'iat text': changed({ iat: String(seconds) }),
    'sub empty': changed({ sub: '' }),
    'sub number': changed({ sub: 1 }),
    'sub object': changed({ sub: { $ne: null } }),
    'client_id list': changed({ client_id: ['gatelodge'] }),
    'jti number': changed({ jti: 1 }),
    'sid object': changed({ sid: { $ne: null } }),
    'roles text': changed({ roles: 'administrator' }),
    'roles of numbers': changed({ roles: [1] }),
    'scope list': changed({ scope: ['all'] }),
  }
  for (const name of ['iss', 'sub', 'aud', 'exp', 'iat', 'jti', 'client_id', 'sid', 'roles'])
    forged[`without ${name}`] = changed({ [name]: undefined })
  await assertRefused(forged)
})

test('a token from a clock up to a minute ahead is valid, one from further ahead is not', async () => {
  const { server, state } = openResourceServer(keys)
  const tokens = [userClaims(), { ...userClaims(), nbf: start / 1_000 }, clientClaims()].map((each) => signed(ed, each))
  for (const token of tokens) {
    state.now = start - 60_000
    await server.verifyAccessToken(token)
    state.now = start - 60_001
    await assert.rejects(server.verifyAccessToken(token), InvalidToken)
  }
})

test('a token is valid until its last millisecond and not in the next', async () => {
  const { server, state } = openResourceServer(keys)
  for (const claims of [userClaims(), clientClaims()]) {
    state.now = claims.exp * 1_000 - 1
    await server.verifyAccessToken(signed(ed, claims))
    state.now = claims.exp * 1_000
    await assert.rejects(server.verifyAccessToken(signed(ed, claims)), InvalidToken)
  }
})

test('a client is never mistaken for a user, nor a user for a client', async () => {
  const { server } = openResourceServer(keys)
  const user = signed(ed, userClaims())
  const client = signed(ed, clientClaims())
  await assert.rejects(server.verifyAccessToken(client, { kind: 'user' }), InvalidToken)
  await assert.rejects(server.verifyAccessToken(user, { kind: 'client' }), InvalidToken)
  assert.equal((await server.verifyAccessToken(user, { kind: 'user' })).sid, 'session-1')
  await assertRefused({
    'a client with a session': signed(ed, { ...clientClaims(), sid: 'session-1' }),
    'a client with roles': signed(ed, { ...clientClaims(), roles: ['administrator'] }),
    'a client that acts for a user without a session': signed(ed, { ...clientClaims(), sub: userClaims().sub }),
    'a client without a scope': signed(ed, { ...clientClaims(), scope: undefined }),
    'a client that acts for a user': signed(ed, { ...clientClaims(), sub: userClaims().sub }),
    'a user at another client': signed(ed, { ...userClaims(), client_id: 'client_billing' }),
    'a user who is a client': signed(ed, { ...userClaims(), client_id: userClaims().sub }),
    'a user who is Gatelodge': signed(ed, { ...userClaims(), sub: 'gatelodge' }),
    'a user with a scope': signed(ed, { ...userClaims(), scope: 'orders:read' }),
  })
})

test('a configured audience is required', async () => {
  const audience = 'https://orders.example.com'
  const { server } = openResourceServer(keys, { audience })
  await assert.rejects(server.verifyAccessToken(signed(ed, userClaims())), InvalidToken)
  await server.verifyAccessToken(signed(ed, { ...userClaims(), aud: audience }))
})

test('only allowed algorithms are accepted', async () => {
  const { server } = openResourceServer(keys, { algorithms: ['ES256'] })
  await server.verifyAccessToken(signed(ec, userClaims()))
  await assert.rejects(server.verifyAccessToken(signed(ed, userClaims())), InvalidToken)
  await assert.rejects(server.verifyAccessToken(signed(rsa, userClaims())), InvalidToken)
})

test('tokens signed by jose are parsed the same way', async () => {
  const { server } = openResourceServer(keys)
  const token = await new SignJWT(userClaims())
    .setProtectedHeader({ alg: 'ES256', kid: 'ec', typ: 'at+jwt' })
    .sign(ec.privateKey)
  assert.equal((await server.verifyAccessToken(token)).sub, decodeJwt(token).sub)
})

forEachDatabase('a real server', (engine) => {
  test('of everything that a real server issues, only the access token is accepted', async () => {
    await using app = await testApp({ engine })
    const { fetch } = fetchOf(app)
    const server = createResourceServer({ issuer: 'http://localhost:3000', fetch, now: app.clock.now })
    const person = await app.user()
    const { access, refresh, session } = await app.tokens(person)
    const claims = await server.verifyAccessToken(access, { kind: 'user' })
    assert.deepEqual([claims.sub, claims.sid, claims.client_id, claims.roles], [person.id, session, 'gatelodge', []])
    for (const [name, other] of Object.entries({ ...(await everythingElse(app, person, access)), refresh, session })) {
      assert.ok(other.length >= 20, name)
      await assert.rejects(server.verifyAccessToken(other), InvalidToken, name)
    }
    for (const other of [`${access}x`, undefined, null])
      await assert.rejects(server.verifyAccessToken(other), InvalidToken)

    app.clock.advance(16 * 60_000)
    await assert.rejects(server.verifyAccessToken(access), InvalidToken)
    const elsewhere = createResourceServer({
      issuer: 'http://localhost:3000',
      audience: 'other',
      fetch,
      now: app.clock.now,
    })
    await assert.rejects(elsewhere.verifyAccessToken((await app.tokens(person)).access), InvalidToken)
  })
})

/** Returns everything valid that a user, a browser or a service holds and that is not an access token. */
async function everythingElse(app: TestApp, person: Person, bearer: string): Promise<Record<string, string>> {
  const made = await app.post('/me/tokens', { name: 'script' }, { bearer })
  const client = await app.client()
  const signUp = await app.post('/signup', { email: 'eve@example.com', password: 'quiet harbour 52' })
  await app.post('/forgot-password', { email: person.email })
  return {
    cookie: await app.cookie(person),
    'API token': made.json.token,
    'client id': client.id,
    'client secret': client.secret,
    'sign-up cookie': signUp.cookie('gatelodge-signup') ?? '',
    'token of a verification mail': (await app.lastMail('eve@example.com')).token,
    'token of a reset mail': (await app.lastMail(person.email)).token,
  }
}
