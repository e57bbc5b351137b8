import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose'
import * as oauth from 'oauth4webapi'
import * as openid from 'openid-client'
import { startServer } from '../src/http/server.ts'
import { type Instant, minute } from '../src/kernel/clock.ts'
import { type Engine, forEachDatabase, testApp } from './support/app.ts'
import { testClock } from './support/deps.ts'
import { freePort } from './support/postgres.ts'
import { expressResourceServer } from './support/resource-server.ts'

// Third-party programs, as published on npm, call a real server on loopback.

/** Allows plain HTTP, which is acceptable only on loopback. */
const insecure = { [oauth.allowInsecureRequests]: true }
/** The error for a 401 with a challenge (RFC 9110, section 15.5.2), which these libraries report instead of the body. */
const challenged = { name: 'WWWAuthenticateChallengeError', code: oauth.WWW_AUTHENTICATE_CHALLENGE, status: 401 }

forEachDatabase('programs of others', (engine) => {
  for (const [method, ofOauth, ofOpenid] of [
    ['client_secret_basic', oauth.ClientSecretBasic, openid.ClientSecretBasic],
    ['client_secret_post', oauth.ClientSecretPost, openid.ClientSecretPost],
  ] as const) {
    test(`oauth4webapi finds the server by its issuer and gets tokens for a client by ${method}`, async () => {
      await using served = await serve(engine)
      const { id, secret } = await served.app.client('orders', ['orders:read', 'orders:write'])
      const as = await discovered(served.issuer)
      const ask = (word: string, parameters = {}) => clientToken(as, id, ofOauth(word), parameters)

      const all = await ask(secret)
      assert.deepEqual([all.token_type, all.expires_in, all.scope], ['bearer', 900, 'orders:read orders:write'])
      assert.equal((await ask(secret, { scope: 'orders:read' })).scope, 'orders:read')
      await assert.rejects(ask(secret, { scope: 'admin' }), { name: 'ResponseBodyError', error: 'invalid_scope' })
      const wrong = ask(`${secret}x`)
      await assert.rejects(wrong, challenged)
      await wrong.catch(async ({ cause, response }: oauth.WWWAuthenticateChallengeError) => {
        assert.equal(cause[0]?.scheme, 'basic')
        assert.partialDeepStrictEqual(await response.json(), { error: 'invalid_client' })
      })
    })

    test(`openid-client finds the server by its issuer and gets tokens for a client by ${method}`, async () => {
      await using served = await serve(engine)
      const { id, secret } = await served.app.client('orders', ['orders:read', 'orders:write'])
      const config = await configured(served.issuer, id, ofOpenid(secret))
      assert.equal(config.serverMetadata().issuer, served.issuer)

      const all = await openid.clientCredentialsGrant(config)
      assert.deepEqual([all.token_type, all.expires_in, all.scope], ['bearer', 900, 'orders:read orders:write'])
      assert.equal((await openid.clientCredentialsGrant(config, { scope: 'orders:write' })).scope, 'orders:write')
      const refused = { name: 'ResponseBodyError', error: 'invalid_scope', status: 400 }
      await assert.rejects(openid.clientCredentialsGrant(config, { scope: 'admin' }), refused)
      const wrong = await configured(served.issuer, id, ofOpenid(`${secret}x`))
      await assert.rejects(openid.clientCredentialsGrant(wrong), challenged)
    })
  }

  test('a server whose issuer differs from the requested URL is rejected by both libraries', async () => {
    await using served = await serve(engine, { GATELODGE_PUBLIC_URL: 'http://localhost:1' })
    await assert.rejects(discovered(served.origin), { code: oauth.JSON_ATTRIBUTE_COMPARISON })
    await assert.rejects(configured(served.origin, 'x', openid.None()), { code: oauth.JSON_ATTRIBUTE_COMPARISON })
  })

  for (const [library, connect] of [
    ['oauth4webapi', withOauth4webapi],
    ['openid-client', withOpenidClient],
  ] as const) {
    test(`${library} is told by introspection what each kind of token stands for`, async () => {
      await using served = await serve(engine)
      const { app, issuer } = served
      const { id, secret } = await app.client('orders', ['orders:read'])
      const { introspect, token } = await connect(issuer, id, secret)
      const ada = await app.user()
      const { access, refresh, session } = await app.tokens(ada)
      const made = await app.post('/me/tokens', { name: 'script', scopes: ['orders:read'] }, { bearer: access })

      assert.partialDeepStrictEqual(await introspect(access), {
        ...{ active: true, token_type: 'Bearer', iss: issuer, aud: issuer, sub: ada.id, sid: session },
        ...{ client_id: 'gatelodge', username: ada.username, email: ada.email },
      })
      assert.partialDeepStrictEqual(await introspect(await token()), {
        ...{ active: true, iss: issuer, aud: issuer, sub: id, client_id: id, scope: 'orders:read' },
      })
      assert.partialDeepStrictEqual(await introspect(made.json.token), {
        ...{ active: true, sub: ada.id, client_id: 'gatelodge', scope: 'orders:read' },
      })
      for (const other of ['garbage', refresh, `${access}x`])
        assert.deepEqual(await introspect(other), { active: false })
      const stranger = await connect(issuer, id, `${secret}x`)
      await assert.rejects(stranger.introspect(access), challenged)
    })

    test(`${library} revokes a refresh token, an API token and a token of its own, and the server refuses them from then on`, async () => {
      await using served = await serve(engine)
      const { app, issuer } = served
      const { id, secret } = await app.client('orders')
      const other = await app.client('billing')
      const { introspect, revoke, token } = await connect(issuer, id, secret)
      const ada = await app.user()
      const [held, kept] = [await app.tokens(ada), await app.tokens(ada)]
      const made = await app.post('/me/tokens', { name: 'script' }, { bearer: kept.access })

      await revoke(held.refresh)
      assert.deepEqual(await introspect(held.access), { active: false })
      assert.equal((await app.post('/refresh', { refresh_token: held.refresh })).code, 'token_invalid')
      assert.equal((await introspect(kept.access)).active, true)
      await revoke(made.json.token)
      assert.deepEqual(await introspect(made.json.token), { active: false })

      const [own, second] = [await token(), await token()]
      await (await connect(issuer, other.id, other.secret)).revoke(own)
      assert.equal((await introspect(own)).active, true)
      await revoke(own)
      assert.deepEqual(await introspect(own), { active: false })
      assert.equal((await introspect(second)).active, true)
      await revoke('garbage')
    })
  }

  for (const algorithm of ['EdDSA', 'ES256', 'RS256'] as const) {
    test(`${algorithm}: oauth4webapi takes the tokens of people and clients as RFC 9068 has them, and jose by the key set`, async () => {
      await using served = await serve(engine, { GATELODGE_TOKEN_ALGORITHM: algorithm })
      const { issuer, people, clients } = await withTokens(served)
      const as = await discovered(issuer)
      const validate = (token: string, audience = issuer) =>
        oauth.validateJwtAccessToken(as, bearing(token), audience, { ...insecure, signingAlgorithms: [algorithm] })
      const keys = createRemoteJWKSet(new URL(as.jwks_uri ?? ''))
      const verify = (token: string, audience = issuer) =>
        jwtVerify(token, keys, { issuer, audience, algorithms: [algorithm], typ: 'at+jwt' })

      for (const { token, sub } of [people, clients]) {
        assert.equal(decodeProtectedHeader(token).alg, algorithm)
        assert.equal((await validate(token)).sub, sub)
        assert.equal((await verify(token)).payload.sub, sub)
      }
      await assert.rejects(validate(people.token, 'https://api.example.com'), { code: oauth.JWT_CLAIM_COMPARISON })
      await assert.rejects(verify(people.token, 'https://api.example.com'), { code: 'ERR_JWT_CLAIM_VALIDATION_FAILED' })
      await assert.rejects(validate(altered(people.token)))
      await assert.rejects(verify(altered(people.token)), { code: 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED' })
    })
  }

  // Not EdDSA: express-jwt leaves the signature to jsonwebtoken 9, which supports RSA and P-256 keys but not Ed25519.
  for (const algorithm of ['RS256', 'ES256'] as const) {
    test(`${algorithm}: an Express app with express-jwt and jwks-rsa lets our tokens in, and nothing else`, async () => {
      const audience = 'https://api.example.com'
      const env = { GATELODGE_TOKEN_ALGORITHM: algorithm, GATELODGE_TOKEN_AUDIENCE: audience }
      await using served = await serve(engine, env)
      const { issuer, people, clients } = await withTokens(served)
      await using stranger = await serve(engine, { ...env, GATELODGE_PUBLIC_URL: issuer })
      await using past = await serve(engine, { ...env, GATELODGE_PUBLIC_URL: issuer }, Date.now() - 16 * minute)
      const resource = async (jwksOf: Served) =>
        expressResourceServer({
          issuer,
          audience,
          algorithm,
          jwks: { jwksUri: `${jwksOf.origin}/.well-known/jwks.json` },
        })

      await using orders = await resource(served)
      assert.equal((await orders.ask()).status, 401)
      const person = await orders.ask(people.token)
      assert.deepEqual([person.status, person.claims.sub, person.claims.roles], [200, people.sub, []])
      const client = await orders.ask(clients.token)
      assert.deepEqual([client.status, client.claims.sub, client.claims.scope], [200, clients.sub, 'orders:read'])

      const foreign = (await withTokens(stranger)).people.token
      for (const token of ['garbage', altered(people.token), foreign])
        assert.equal((await orders.ask(token)).status, 401)
      await using late = await resource(past)
      assert.match((await late.ask((await withTokens(past)).people.token)).reason, /jwt expired/)
      await using elsewhere = await expressResourceServer({
        ...{ issuer, algorithm, audience: 'https://other.example.com' },
        jwks: { jwksUri: `${served.origin}/.well-known/jwks.json` },
      })
      assert.match((await elsewhere.ask(people.token)).reason, /jwt audience invalid/)
    })
  }
})

type Served = Awaited<ReturnType<typeof serve>>

/** Starts the whole program under its own public URL on loopback, at the time that the libraries see. */
async function serve(engine: Engine, env: Readonly<Record<string, string>> = {}, start: Instant = Date.now()) {
  const port = await freePort()
  const origin = `http://127.0.0.1:${port}`
  const settings = { GATELODGE_PUBLIC_URL: origin, ...env }
  const app = await testApp({ engine, env: settings, clock: testClock(start) })
  const server = await startServer(app.composition.fetch, { host: '127.0.0.1', port }, { warn() {} })
  return {
    app,
    origin,
    issuer: settings.GATELODGE_PUBLIC_URL,
    async [Symbol.asyncDispose]() {
      await server.stop(0)
      await app[Symbol.asyncDispose]()
    },
  }
}

/** Returns a token of a signed-in user and one of a service client, and the subject of each. */
async function withTokens({ app, issuer }: Served) {
  const ada = await app.user()
  const { id, headers } = await app.client('orders', ['orders:read'])
  const { json } = await app.form('/oauth2/token', { grant_type: 'client_credentials' }, { headers })
  const people = { token: (await app.tokens(ada)).access, sub: ada.id }
  return { issuer, people, clients: { token: String(json.access_token), sub: id } }
}

async function discovered(issuer: string): Promise<oauth.AuthorizationServer> {
  const url = new URL(issuer)
  return oauth.processDiscoveryResponse(url, await oauth.discoveryRequest(url, { algorithm: 'oauth2', ...insecure }))
}

function configured(issuer: string, id: string, authentication: openid.ClientAuth): Promise<openid.Configuration> {
  return openid.discovery(new URL(issuer), id, undefined, authentication, {
    algorithm: 'oauth2',
    execute: [openid.allowInsecureRequests],
  })
}

async function clientToken(as: oauth.AuthorizationServer, id: string, authentication: oauth.ClientAuth, wish = {}) {
  const client = { client_id: id }
  const answer = await oauth.clientCredentialsGrantRequest(as, client, authentication, wish, insecure)
  return oauth.processClientCredentialsResponse(as, client, answer)
}

async function withOauth4webapi(issuer: string, id: string, secret: string) {
  const as = await discovered(issuer)
  const client = { client_id: id }
  const authentication = oauth.ClientSecretBasic(secret)
  return {
    token: async () => (await clientToken(as, id, authentication)).access_token,
    async introspect(token: string) {
      const answer = await oauth.introspectionRequest(as, client, authentication, token, insecure)
      return oauth.processIntrospectionResponse(as, client, answer)
    },
    async revoke(token: string) {
      await oauth.processRevocationResponse(await oauth.revocationRequest(as, client, authentication, token, insecure))
    },
  }
}

async function withOpenidClient(issuer: string, id: string, secret: string) {
  const config = await configured(issuer, id, openid.ClientSecretPost(secret))
  return {
    token: async () => (await openid.clientCredentialsGrant(config)).access_token,
    introspect: (token: string) => openid.tokenIntrospection(config, token),
    revoke: (token: string) => openid.tokenRevocation(config, token),
  }
}

function bearing(token: string): Request {
  return new Request('https://api.example.com/orders', { headers: { authorization: `Bearer ${token}` } })
}

/** Returns the token with a different first character in its signature. */
function altered(token: string): string {
  const at = token.lastIndexOf('.') + 1
  return token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1)
}
