import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rotateKeys } from '../../gatelodge/src/admin/keys/manage-keys.ts'
import {
  createClient as createServiceClient,
  revokeClient,
} from '../../gatelodge/src/admin/service-clients/manage-clients.ts'
import { systemActor } from '../../gatelodge/src/kernel/actor.ts'
import { forEachDatabase, type TestApp, testApp } from '../../gatelodge/test/support/app.ts'
import { commandFolderOn } from '../../gatelodge/test/support/cli.ts'
import { AuthServiceUnavailable, InvalidToken } from '../src/errors.ts'
import { createClient } from '../src/index.ts'
import { createResourceServer } from '../src/server.ts'
import { fetchOf } from './support/around.ts'

// Runs against the real server: in its own process, and in this process where time has to move.

const issuer = 'http://localhost:3000'
const actor = systemActor('command', 'test')

/** Registers a service of the operator and returns its credentials. */
async function openService(app: TestApp, scopes: readonly string[] = ['orders:read']) {
  const { client, secret } = await createServiceClient(app.deps, actor, { name: 'orders', scopes })
  const { fetch, asked } = fetchOf(app)
  const own = { issuer, fetch, now: app.clock.now }
  const server = createResourceServer({ ...own, clientId: client.id, clientSecret: secret })
  return { server, local: createResourceServer(own), client, asked }
}

/** Requests an access token with client credentials (RFC 6749, section 4.4). */
async function clientToken(app: TestApp, id: string, secret: string): Promise<string> {
  const request = new Request(`${issuer}/oauth2/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`${id}:${secret}`)}` },
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
  })
  const response = await app.composition.fetch(request, { peer: '192.0.2.1' })
  assert.equal(response.status, 200)
  return ((await response.json()) as { access_token: string }).access_token
}

forEachDatabase('the token service', (engine) => {
  test('a service in another process identifies the caller, and notices the end of a session immediately', async () => {
    await using folder = await commandFolderOn(engine)
    const { started } = await folder.serve()
    const url = started.url
    await folder.json('admin create --email ada@example.com --password-stdin', 'quiet harbour 52')
    const { client_id: clientId, client_secret: clientSecret } = await folder.json<Record<string, string>>(
      'client create orders --scope orders:read',
    )
    assert.ok(clientId && clientSecret)
    const asking = createResourceServer({ issuer: url, clientId, clientSecret })
    const local = createResourceServer({ issuer: url })
    const kept = new Map<string, string>()
    const storage = {
      get: (name: string) => kept.get(name),
      set: (name: string, value: string) => kept.set(name, value),
      remove: (name: string) => kept.delete(name),
    }
    const client = createClient({ baseUrl: url, session: 'token', storage })
    const signedIn = await client.signIn({ email: 'ada@example.com', password: 'quiet harbour 52' })
    assert.ok('user' in signedIn)
    const { user } = signedIn
    const token: string = JSON.parse([...kept.values()][0] ?? '').access_token

    const auth = await asking.introspectRemote(token)
    assert.ok(auth.kind === 'user')
    assert.deepEqual([auth.sub, auth.user?.email, auth.client_id], [user.id, 'ada@example.com', 'gatelodge'])
    const claims = await local.verifyAccessToken(token, { kind: 'user' })
    assert.deepEqual([claims.sub, claims.sid, claims.roles, claims.jti], [auth.sub, auth.sid, auth.roles, auth.jti])

    await client.signOut()
    await assert.rejects(asking.introspectRemote(token), InvalidToken)
    await local.verifyAccessToken(token) // the token alone does not reveal it before it expires
    const wrong = createResourceServer({ issuer: url, clientId, clientSecret: `${clientSecret}x` })
    await assert.rejects(wrong.introspectRemote(token), AuthServiceUnavailable)
  })

  test('of everything that the server issues, introspection accepts only access tokens and API tokens', async () => {
    await using app = await testApp({ engine })
    const { server, local } = await openService(app)
    const person = await app.user()
    const { access, refresh, session } = await app.tokens(person)
    const cookie = await app.cookie(person)
    const made = await app.post('/me/tokens', { name: 'script', scopes: ['orders:read'] }, { bearer: access })
    assert.equal(made.status, 201, made.text)
    const apiToken: string = made.json.token

    assert.equal((await server.introspectRemote(access)).kind, 'user')
    const auth = await server.introspectRemote(apiToken)
    assert.ok(auth.kind === 'api_token')
    assert.deepEqual([auth.sub, auth.scope, auth.user.email], [person.id, 'orders:read', person.email])
    for (const other of [refresh, cookie, session, `${access}x`, `${apiToken}x`, 'gatelodge_pat_', 'x'.repeat(4_096)])
      await assert.rejects(server.introspectRemote(other), InvalidToken)
    await assert.rejects(local.verifyAccessToken(apiToken), InvalidToken)

    await app.delete(`/me/tokens/${made.json.id}`, { bearer: access })
    await assert.rejects(server.introspectRemote(apiToken), InvalidToken)
    app.clock.advance(16 * 60_000)
    await assert.rejects(server.introspectRemote(access), InvalidToken)
  })

  test('a service client is recognized by introspection and by its token, until it is revoked', async () => {
    await using app = await testApp({ engine })
    const { server, local, client } = await openService(app)
    const { client: caller, secret: callerSecret } = await createServiceClient(app.deps, actor, {
      name: 'billing',
      scopes: ['orders:read', 'orders:write'],
    })
    const token = await clientToken(app, caller.id, callerSecret)
    const asked = await server.introspectRemote(token)
    const known = await local.verifyAccessToken(token, { kind: 'client' })
    for (const auth of [asked, known])
      assert.deepEqual(
        [auth.kind, auth.sub, auth.client_id, auth.scope],
        ['client', caller.id, caller.id, 'orders:read orders:write'],
      )
    await assert.rejects(local.verifyAccessToken(token, { kind: 'user' }), InvalidToken)

    await revokeClient(app.deps, actor, { who: caller.id })
    await assert.rejects(server.introspectRemote(token), InvalidToken)
    await revokeClient(app.deps, actor, { who: client.id })
    await assert.rejects(server.introspectRemote(token), AuthServiceUnavailable, 'we may not ask any more')
  })

  test('a key rotation causes no failure, and a withdrawn key is rejected within ten minutes', async () => {
    await using app = await testApp({ engine })
    const { local, asked } = await openService(app)
    const person = await app.user()
    const before = (await app.tokens(person)).access
    await local.verifyAccessToken(before)
    await rotateKeys(app.deps, actor, { compromised: false })
    for (let minutes = 0; minutes < 90; minutes += 5) {
      await local.verifyAccessToken((await app.tokens(person)).access)
      app.clock.advance(5 * 60_000)
    }
    const kid = (token: string) => JSON.parse(atob(token.split('.')[0] ?? '')).kid
    const after = (await app.tokens(person)).access
    assert.notEqual(kid(after), kid(before))
    assert.ok(asked.length <= 10, `${asked.length} requests for keys`)

    await local.verifyAccessToken(after)
    await rotateKeys(app.deps, actor, { compromised: true })
    app.clock.advance(10 * 60_000 + 1)
    await assert.rejects(local.verifyAccessToken(after), InvalidToken)
    await local.verifyAccessToken((await app.tokens(person)).access)
  })
})
