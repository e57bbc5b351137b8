import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CompactSign, SignJWT } from 'jose'
import { type Engine, forEachDatabase } from '../../test/support/app.ts'
import { testDeps } from '../../test/support/deps.ts'
import { systemActor } from '../kernel/actor.ts'
import { isAuthError } from '../kernel/errors.ts'
import type { SessionId, UserId } from '../kernel/ids.ts'
import { systemRandom } from '../kernel/random.ts'
import { createKeyring } from '../kernel/sealing.ts'
import { createAccessTokens } from './access-tokens.ts'
import { keepSigningKeys, prepareSigningKeys, readSigningKeys } from './signing-keys.ts'

const issuer = 'https://auth.example'
const subject = {
  userId: '01999999-0000-7000-8000-000000000000' as UserId,
  sessionId: 's' as SessionId,
  roles: ['administrator'],
}
const refused = (error: unknown) => isAuthError(error, 'token_invalid')

async function setUp(engine: Engine) {
  const test = await testDeps({ engine })
  const keys = await readSigningKeys(test.deps)
  const tokens = createAccessTokens(
    keepSigningKeys(test.deps),
    { issuer, audience: 'api', ttl: 900_000 },
    test.clock,
    systemRandom,
  )
  const claims = { sid: 's', client_id: 'gatelodge', roles: [] as unknown, iat: 1, exp: 4_000_000_000, jti: 'j' }
  const sign = (change: Record<string, unknown> = {}, typ = 'at+jwt') =>
    new SignJWT({ iss: issuer, aud: 'api', sub: subject.userId, ...claims, ...change })
      .setProtectedHeader({ alg: 'EdDSA', typ, kid: keys[0]?.kid ?? '' })
      .sign(keys[0]?.privateKey as CryptoKey)
  return { ...test, keys, tokens, sign }
}

forEachDatabase('access tokens', (engine) => {
  test('a signed token verifies until it expires, and its session is named even after', async () => {
    const { tokens, clock, close } = await setUp(engine)
    const { text, expiresIn } = await tokens.sign(subject)
    assert.equal(expiresIn, 900)
    const claims = await tokens.verify(text)
    assert.deepEqual([claims.sub, claims.sid, claims.roles], [subject.userId, 's', ['administrator']])
    clock.advance(900_000)
    await assert.rejects(tokens.verify(text), refused)
    assert.equal((await tokens.verify(text, { allowExpired: true })).sid, 's')
    await close()
  })

  test('a token from a server whose clock is a minute ahead is valid immediately and expires on time', async () => {
    const { tokens, clock, close } = await setUp(engine)
    clock.advance(60_000)
    const { text } = await tokens.sign(subject)
    clock.advance(-60_000)
    assert.equal((await tokens.verify(text)).sid, 's')
    clock.advance(60_000 + 900_000 - 1)
    await tokens.verify(text)
    clock.advance(1)
    await assert.rejects(tokens.verify(text), refused)
    await close()
  })

  test('a genuine signature over the wrong claims or kind is refused', async () => {
    const { tokens, sign, close } = await setUp(engine)
    assert.equal((await tokens.verify(await sign())).sub, subject.userId)
    for (const change of [
      { iss: 'https://evil.example' },
      { aud: 'other' },
      { aud: ['api', 'other'] },
      { sub: 'not a uuid' },
      { sid: 7 },
      { roles: 'administrator' },
      { roles: undefined },
      { jti: undefined },
      { exp: undefined },
      { nbf: 3_900_000_000 },
      { client_id: undefined },
    ]) {
      await assert.rejects(tokens.verify(await sign(change)), refused, JSON.stringify(change))
    }
    for (const typ of ['jwt', 'JWT', 'logout+jwt', 'application/at+jwtx'])
      await assert.rejects(tokens.verify(await sign({}, typ)), refused, typ)
    await close()
  })

  test('only an object of claims counts, in plain UTF-8 and with an end, also under our signature', async () => {
    const { tokens, keys, sign, close } = await setUp(engine)
    const good = Buffer.from((await sign()).split('.')[1] ?? '', 'base64url').toString()
    const signed = (claims: string | Uint8Array, header: object = {}) =>
      new CompactSign(Buffer.from(claims))
        .setProtectedHeader({ alg: 'EdDSA', typ: 'at+jwt', kid: keys[0]?.kid ?? '', ...header })
        .sign(keys[0]?.privateKey as CryptoKey, { crit: { x: true } })
    for (const typ of ['at+jwt', 'application/at+jwt', 'AT+JWT'])
      assert.equal((await tokens.verify(await signed(good, { typ }))).sid, 's')

    const invalidUtf8 = Buffer.concat([
      Buffer.from(`${good.slice(0, -1)},"x":"`),
      Buffer.from([0xff]),
      Buffer.from('"}'),
    ])
    for (const claims of [
      ...['', 'null', '1', '"x"', '[]', `[${good}]`, good.slice(1), `\ufeff${good}`],
      ...[good.replace('4000000000', '1e999'), good.replace('"iat":1', '"iat":-1e999'), good.replace(':1,', ':"1",')],
      invalidUtf8,
    ])
      await assert.rejects(tokens.verifyAny(await signed(claims)), refused, String(claims))
    for (const header of [{ typ: undefined }, { crit: ['b64'], b64: true }, { crit: ['x'], x: 1 }])
      await assert.rejects(tokens.verifyAny(await signed(good, header)), refused, JSON.stringify(header))
    await close()
  })

  test('the kinds of access token have no token in common', async () => {
    const { tokens, sign, close } = await setUp(engine)
    const client = `client_${'A'.repeat(22)}`
    const { text } = await tokens.signForClient({ clientId: client, scope: 'a b' })
    const { kind, claims } = await tokens.verifyAny(text)
    assert.deepEqual([kind, claims.sub, claims.client_id], ['client', client, client])
    await assert.rejects(tokens.verify(text), refused)
    assert.equal(tokens.recall(text), undefined)
    assert.equal((await tokens.verifyAny((await tokens.sign(subject)).text)).kind, 'user')

    const ofClient = { sub: client, client_id: client, scope: 'a', sid: undefined, roles: undefined }
    assert.equal((await tokens.verifyAny(await sign(ofClient))).kind, 'client')
    for (const change of [
      { ...ofClient, client_id: 'gatelodge' },
      { ...ofClient, sub: subject.userId },
      { ...ofClient, sub: `client_${'B'.repeat(22)}` },
      { ...ofClient, scope: undefined },
      { ...ofClient, scope: ['a'] },
      { ...ofClient, sid: 's' },
      { ...ofClient, roles: [] },
      { ...ofClient, sub: 'client_x', client_id: 'client_x' },
      { client_id: client },
      { client_id: 'another' },
      { scope: 'a' },
    ])
      await assert.rejects(tokens.verifyAny(await sign(change)), refused, JSON.stringify(change))
    await close()
  })

  test('anything but an access token of this server is rejected', async () => {
    const { tokens, sign, close } = await setUp(engine)
    const [header, payload, signature] = (await sign()).split('.')
    const headerOf = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    for (const text of [
      '',
      'x',
      'a.b.c',
      `${header}.${payload}.`,
      `${header}.${payload}`,
      `${header}.${payload}.${signature?.slice(0, -4)}AAAA`,
      `${headerOf({ alg: 'none', typ: 'at+jwt' })}.${payload}.`,
      `${headerOf({ alg: 'EdDSA', typ: 'at+jwt', kid: 'other' })}.${payload}.${signature}`,
      `${header}.${payload}.${'A'.repeat(5_000)}`,
    ]) {
      await assert.rejects(tokens.verify(text), refused, text.slice(0, 60))
    }
    await close()
  })

  test('without a key nothing is signed', async () => {
    const { deps, tokens, close } = await setUp(engine)
    await deps.store.transaction(async (db) => {
      await db.deleteFrom('signing_keys').execute()
    })
    await assert.rejects(tokens.sign(subject), /no signing key/)
    await close()
  })

  test('signing keys are made once, and another secret does not open them', async () => {
    const { deps, keys, close } = await setUp(engine)
    await prepareSigningKeys(deps, systemActor('job', 'start'), deps.config, keepSigningKeys(deps))
    assert.deepEqual(
      (await readSigningKeys(deps)).map(({ kid }) => kid),
      keys.map(({ kid }) => kid),
    )
    const stranger = { store: deps.store, keyring: createKeyring('another secret', systemRandom) }
    await assert.rejects(readSigningKeys(stranger), (error) => isAuthError(error, 'config_invalid'))
    await close()
  })

  test('two processes that start on one empty database keep one key', async () => {
    const { deps, close } = await testDeps({ engine })
    await deps.store.transaction(async (db) => {
      await db.deleteFrom('signing_keys').execute()
    })
    const prepare = () => prepareSigningKeys(deps, systemActor('job', 'start'), deps.config, keepSigningKeys(deps))
    await Promise.all([prepare(), prepare()])
    assert.equal((await readSigningKeys(deps)).length, 1)
    await close()
  })
})

test('of ten thousand verified tokens the oldest is forgotten, and verifies again', async () => {
  const { tokens, close } = await setUp('sqlite')
  const first = await tokens.sign(subject)
  await tokens.verify(first.text)
  for (let index = 0; index < 10_000; index += 1) await tokens.verify((await tokens.sign(subject)).text)
  assert.equal((await tokens.verify(first.text)).sid, 's')
  await close()
})
