import assert from 'node:assert/strict'
import { createHmac, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { SignJWT } from 'jose'
import { readSigningKeys } from '../../src/domain/signing-keys.ts'
import { forEachDatabase, testApp } from '../support/app.ts'
import { withinPace } from '../support/pace.ts'

const encode = (part: unknown) => Buffer.from(JSON.stringify(part)).toString('base64url')

function jws(header: object, payload: string, signature: (input: string) => Buffer): string {
  const input = `${encode(header)}.${payload}`
  return `${input}.${signature(input).toString('base64url')}`
}

forEachDatabase('07 access token forgery', (engine) => {
  test('no forged header, key or signature is believed, none is fetched, and each is refused at once', async () => {
    await using app = await testApp({ engine })
    const { access } = await app.tokens(await app.user())
    let fetched = 0
    await using canary = createServer((_request, response) => {
      fetched += 1
      response.end('{"keys":[]}')
    }).listen(0, '127.0.0.1')
    await once(canary, 'listening')
    const trap = `http://127.0.0.1:${(canary.address() as AddressInfo).port}/jwks.json`

    const [, payload = '', signature = ''] = access.split('.')
    const [jwk] = (await app.get('/.well-known/jwks.json')).json.keys
    const genuine = { alg: 'EdDSA', kid: jwk.kid, typ: 'at+jwt' }
    const publicKey = createPublicKey({ key: jwk, format: 'jwk' })
    const mine = generateKeyPairSync('ed25519')
    const mySignature = (input: string) => sign(null, Buffer.from(input), mine.privateKey)
    const hmac = (key: string | Buffer) => (input: string) => createHmac('sha256', key).update(input).digest()
    const none = () => Buffer.alloc(0)
    const pem = publicKey.export({ type: 'spki', format: 'pem' })
    const raw = Buffer.from(jwk.x, 'base64url')
    const elevated = encode({ ...JSON.parse(Buffer.from(payload, 'base64url').toString()), roles: ['administrator'] })

    const forged: Record<string, string> = {
      'alg none': jws({ ...genuine, alg: 'none' }, payload, none),
      'alg None': jws({ ...genuine, alg: 'None' }, payload, none),
      'alg nOnE with a signature': jws({ ...genuine, alg: 'nOnE' }, payload, mySignature),
      'no alg': jws({ kid: jwk.kid, typ: 'at+jwt' }, payload, none),
      'empty signature': jws(genuine, payload, none),
      'zero signature': jws(genuine, payload, () => Buffer.alloc(64)),
      'cut signature': `${access.slice(0, -10)}`,
      'HS256 under the PEM': jws({ ...genuine, alg: 'HS256' }, payload, hmac(pem)),
      'HS256 under the raw key': jws({ ...genuine, alg: 'HS256' }, payload, hmac(raw)),
      'HS256 under the JWK': jws({ ...genuine, alg: 'HS256' }, payload, hmac(JSON.stringify(jwk))),
      'HS256 under nothing': jws({ ...genuine, alg: 'HS256' }, payload, hmac('')),
      'another key under our kid': jws(genuine, payload, mySignature),
      'embedded jwk': jws({ ...genuine, jwk: mine.publicKey.export({ format: 'jwk' }) }, payload, mySignature),
      'embedded jwk, no kid': jws(
        { alg: 'EdDSA', typ: 'at+jwt', jwk: mine.publicKey.export({ format: 'jwk' }) },
        payload,
        mySignature,
      ),
      jku: jws({ ...genuine, jku: trap }, payload, mySignature),
      'jku with the attacker’s kid': jws({ ...genuine, kid: 'theirs', jku: trap, x5u: trap }, payload, mySignature),
      'kid traversal': jws({ ...genuine, kid: '../../../../dev/null' }, payload, hmac('')),
      'kid SQL': jws({ ...genuine, kid: "x' union select 'k" }, payload, mySignature),
      'kid array': jws({ ...genuine, kid: [jwk.kid] }, payload, mySignature),
      'kid __proto__': jws({ ...genuine, kid: '__proto__' }, payload, mySignature),
      'ES256 of zeros': jws({ ...genuine, alg: 'ES256' }, payload, () => Buffer.alloc(64)),
      'unknown crit': jws({ ...genuine, crit: ['x'], x: 1 }, payload, mySignature),
      'b64 false': jws({ ...genuine, crit: ['b64'], b64: false }, payload, mySignature),
      'other claims, the old signature': `${encode(genuine)}.${elevated}.${signature}`,
      'JSON serialization': JSON.stringify({ payload, protected: encode(genuine), signature }),
      'a JWE with a huge p2c': `${encode({ alg: 'PBES2-HS512+A256KW', enc: 'A256GCM', p2c: 2_147_483_647, p2s: 'AAAA' })}.AAAA.AAAA.AAAA.AAAA`,
      'four parts': `${access}.x`,
      'two parts': access.slice(0, access.lastIndexOf('.')),
      'only dots': '..',
      'a long one': `${access}${'A'.repeat(8_000)}`,
      'padded base64': access.replaceAll('.', '=.'),
    }
    for (const [name, bearer] of Object.entries(forged)) {
      const told = await withinPace(name, 50, () => app.get('/session', { bearer }))
      assert.deepEqual([told.status, told.code], [401, 'token_invalid'], name)
      assert.equal((await app.post('/signout', {}, { bearer })).json.username, null, name)
    }
    assert.equal(fetched, 0)
    assert.equal((await app.get('/session', { bearer: access })).status, 200)
  })

  test('even our own key signs nothing but access tokens of this issuer for this audience', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const { session } = await app.tokens(ada)
    const [key] = await readSigningKeys(app.deps)
    assert.ok(key)
    const seconds = Math.floor(app.clock.now() / 1000)
    const good = {
      header: { alg: key.alg, kid: key.kid, typ: 'at+jwt' },
      claims: {
        iss: 'http://localhost:3000',
        aud: 'http://localhost:3000',
        sub: ada.id,
        sid: session,
        client_id: 'gatelodge',
        roles: [],
        jti: 'x',
        iat: seconds,
        exp: seconds + 60,
      },
    }
    const make = (header: object, claims: object, privateKey: KeyObject | CryptoKey = key.privateKey) =>
      new SignJWT({ ...good.claims, ...claims }).setProtectedHeader({ ...good.header, ...header }).sign(privateKey)
    const ask = async (text: string) => (await app.get('/session', { bearer: text })).status

    assert.equal(await ask(await make({}, {})), 200)
    const stranger = await app.user()
    for (const [header, claims] of [
      [{ typ: 'JWT' }, {}],
      [{ typ: 'logout+jwt' }, {}],
      [{ typ: undefined }, {}],
      [{}, { iss: 'http://localhost:3001' }],
      [{}, { iss: 'http://localhost:3000/' }],
      [{}, { aud: 'other' }],
      [{}, { aud: ['other', 'http://localhost:3000.evil.test'] }],
      [{}, { exp: seconds }],
      [{}, { exp: 'never' }],
      [{}, { exp: undefined }],
      [{}, { sid: undefined }],
      [{}, { sid: { $ne: null } }],
      [{}, { sub: stranger.id }],
      [{}, { sub: 'administrator' }],
      [{}, { roles: 'administrator' }],
      [{}, { client_id: undefined }],
    ] as const) {
      assert.equal(await ask(await make(header, claims)), 401, JSON.stringify([header, claims]))
    }
    const another = generateKeyPairSync('ed25519').privateKey
    assert.equal(await ask(await make({}, {}, another)), 401)
  })

  test('roles that a token claims give nothing: what the account has counts', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const { session } = await app.tokens(ada)
    const { text } = await app.deps.accessTokens.sign({
      userId: ada.id as never,
      sessionId: session as never,
      roles: ['administrator'],
    })
    assert.deepEqual((await app.get('/session', { bearer: text })).json.user.roles, [])
  })
})
