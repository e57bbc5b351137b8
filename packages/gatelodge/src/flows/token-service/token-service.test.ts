import assert from 'node:assert/strict'
import { test } from 'node:test'
import { basic, forEachDatabase, testApp } from '../../../test/support/app.ts'
import { createClient, listClients, revokeClient } from '../../admin/service-clients/manage-clients.ts'
import { setActive } from '../../admin/users/set-active.ts'
import { systemActor } from '../../kernel/actor.ts'
import { minute } from '../../kernel/clock.ts'

const actor = systemActor('command', 'test')
const grant = { grant_type: 'client_credentials' }
const claimsOf = (token: string) => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())

forEachDatabase('token service', (engine) => {
  test('a service client gets a token of its own with what it asked for, or all that it may have', async () => {
    await using app = await testApp({ engine })
    const { id, secret, headers } = await app.client('orders', ['orders:read', 'orders:write'])
    const all = await app.form('/oauth2/token', grant, { headers })
    assert.equal(all.status, 200, all.text)
    const { access_token, ...rest } = all.json
    assert.deepEqual(rest, { token_type: 'Bearer', expires_in: 900, scope: 'orders:read orders:write' })
    const { iat, exp, jti, ...claims } = claimsOf(access_token)
    assert.deepEqual(claims, {
      iss: 'http://localhost:3000',
      aud: 'http://localhost:3000',
      sub: id,
      client_id: id,
      scope: 'orders:read orders:write',
    })
    assert.deepEqual([exp - iat, typeof jti], [900, 'string'])

    const inBody = { client_id: id, client_secret: secret }
    const one = await app.form('/oauth2/token', { ...grant, ...inBody, scope: 'orders:read', resource: 'ignored' })
    assert.deepEqual([one.status, one.json.scope], [200, 'orders:read'])
    assert.equal((await app.form('/oauth2/token', { ...grant, scope: '' }, { headers })).json.scope, all.json.scope)
    assert.deepEqual(await app.events(), ['service_client.created', ...Array(3).fill('service_token.issued')])
  })

  test('a client has a unique name that is not an id and breaks no list', async () => {
    await using app = await testApp({ engine })
    const { id } = await app.client('orders')
    for (const name of ['', ' x', 'two\nlines', 'x'.repeat(65), 'é', id]) {
      await assert.rejects(createClient(app.deps, actor, { name, scopes: [] }), {
        code: 'input_invalid',
        faults: [
          {
            field: 'name',
            code: 'characters',
            message: 'Use 1 to 64 letters, digits, spaces and . : @ / _ - for the name',
          },
        ],
      })
    }
    await assert.rejects(createClient(app.deps, actor, { name: 'orders', scopes: [] }), { code: 'input_invalid' })
    const names = (await listClients(app.deps, actor)).map(({ name }) => name)
    assert.deepEqual(names, ['orders'])
  })

  test('a token request that is not right says what is wrong as RFC 6749 has it', async () => {
    await using app = await testApp({ engine })
    const { id, secret, headers } = await app.client()
    const wrong = { authorization: basic(id, `${secret}x`) }
    for (const [fields, given, status, error] of [
      [grant, {}, 401, 'invalid_client'],
      [grant, wrong, 401, 'invalid_client'],
      [grant, { authorization: basic('client_AAAAAAAAAAAAAAAAAAAAAA', secret) }, 401, 'invalid_client'],
      [grant, { authorization: basic('', '') }, 401, 'invalid_client'],
      [grant, { authorization: 'Basic %%%' }, 401, 'invalid_client'],
      [grant, { authorization: `Basic ${Buffer.from('%zz:x').toString('base64')}` }, 401, 'invalid_client'],
      [grant, { authorization: `Basic ${Buffer.from('nocolon').toString('base64')}` }, 401, 'invalid_client'],
      [grant, { authorization: `Bearer ${secret}` }, 401, 'invalid_client'],
      [{ ...grant, client_id: id }, {}, 401, 'invalid_client'],
      [{ ...grant, client_secret: secret }, headers, 400, 'invalid_request'],
      [{}, headers, 400, 'invalid_request'],
      [{ grant_type: '' }, headers, 400, 'invalid_request'],
      [{ grant_type: 'password', username: 'ada', password: 'x' }, headers, 400, 'unsupported_grant_type'],
      [grant, { authorization: 'Digest x' }, 401, 'invalid_client'],
      [{ grant_type: 'authorization_code', code: 'x' }, headers, 400, 'unsupported_grant_type'],
      [{ ...grant, scope: 'read admin' }, headers, 400, 'invalid_scope'],
      [{ ...grant, scope: 'rea' }, headers, 400, 'invalid_scope'],
      ['grant_type=client_credentials&grant_type=client_credentials', headers, 400, 'invalid_request'],
    ] as const) {
      const told = await app.form('/oauth2/token', fields, { headers: given })
      const name = JSON.stringify([fields, given])
      assert.deepEqual([told.status, told.json.error], [status, error], name)
      assert.match(told.json.error_description, /^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/, name)
      assert.match(told.headers.get('content-type') ?? '', /^application\/json/, name)
      assert.equal(told.headers.get('cache-control'), 'no-store', name)
      if (status === 401) assert.match(told.headers.get('www-authenticate') ?? '', /^Basic realm="gatelodge"/, name)
    }
    const json = await app.post('/oauth2/token', grant, { headers })
    assert.deepEqual([json.status, json.json.error], [415, 'invalid_request'])
    assert.equal((await app.form('/oauth2/token', grant, { headers })).status, 200)
    const inBody = { ...grant, client_id: id, client_secret: secret }
    const foreign = { authorization: 'Negotiate YII=' }
    assert.equal((await app.form('/oauth2/token', inBody, { headers: foreign })).status, 200)
  })

  test('rejected clients are counted by address, and a right secret is never delayed', async () => {
    await using app = await testApp({ engine })
    const { id, headers } = await app.client()
    const wrong = { authorization: basic(id, 'wrong') }
    for (let attempt = 0; attempt < 60; attempt += 1)
      assert.equal((await app.form('/oauth2/introspect', { token: 'x' }, { headers: wrong })).status, 401)
    const late = await app.form('/oauth2/token', grant, { headers: wrong })
    assert.deepEqual([late.status, late.json.error], [429, 'temporarily_unavailable'])
    assert.ok(Number(late.headers.get('retry-after')) > 0)
    // Other clients are counted: see test/attacks/strangers.test.ts.
    assert.equal((await app.events()).filter((name) => name === 'service_client.refused').length, 10)
    assert.equal((await app.form('/oauth2/token', grant, { headers })).status, 200)
    const elsewhere = await app.form('/oauth2/token', grant, { headers: wrong, ip: '203.0.113.9' })
    assert.equal(elsewhere.status, 401)
  })

  test('introspection names the user of a token, as the account is now', async () => {
    await using app = await testApp({ engine })
    const { headers } = await app.client()
    const ada = await app.user({ firstName: 'Ada' })
    const { access, session } = await app.tokens(ada)
    const told = await app.introspect(access, headers)
    const { iat, exp, jti, user, ...rest } = told
    assert.deepEqual(rest, {
      active: true,
      token_type: 'Bearer',
      iss: 'http://localhost:3000',
      aud: 'http://localhost:3000',
      sub: ada.id,
      client_id: 'gatelodge',
      sid: session,
      username: ada.username,
      email: ada.email,
    })
    assert.deepEqual([exp - iat, typeof jti, user.id, user.fullname], [900, 'string', ada.id, 'Ada'])
    assert.deepEqual(await app.introspect(access, headers), told)

    assert.equal((await app.patch('/me', { first_name: 'Augusta' }, { bearer: access })).status, 200)
    assert.equal((await app.introspect(access, headers)).user.fullname, 'Augusta')
  })

  test('what is unknown, expired, revoked, foreign or of another kind is bare inactive', async () => {
    await using app = await testApp({ engine })
    const { headers } = await app.client()
    const ada = await app.user()
    const grace = await app.user()
    const { access, refresh } = await app.tokens(ada)
    const out = await app.tokens(ada)
    await app.post('/signout', {}, { bearer: out.access })
    const stopped = await app.tokens(grace)
    await setActive(app.deps, actor, { who: grace.id, active: false })
    await using stranger = await testApp({ engine, env: { GATELODGE_PUBLIC_URL: 'http://localhost:3001' } })
    const foreign = await stranger.tokens(await stranger.user())

    const kinds = {
      garbage: 'x',
      'another server’s': foreign.access,
      refresh,
      cookie: await app.cookie(ada),
      'signed out': out.access,
      'of a stopped account': stopped.access,
      cut: access.slice(0, -3),
      'far too long': 'x'.repeat(5_000),
      'full of odd characters': '\u0000\u202e\n',
    }
    for (const [name, token] of Object.entries(kinds))
      assert.deepEqual(await app.introspect(token, headers), { active: false }, name)
    assert.equal((await app.introspect(access, headers)).active, true)
    app.clock.advance(15 * minute)
    assert.deepEqual(await app.introspect(access, headers), { active: false })
  })

  test('any service client may ask for the token of another, until that one is removed', async () => {
    await using app = await testApp({ engine })
    const [orders, billing] = [await app.client('orders', ['a']), await app.client('billing', [])]
    const { json } = await app.form('/oauth2/token', grant, { headers: orders.headers })
    const { iat, exp, jti, ...told } = await app.introspect(json.access_token, billing.headers)
    assert.deepEqual(told, {
      active: true,
      token_type: 'Bearer',
      iss: 'http://localhost:3000',
      aud: 'http://localhost:3000',
      sub: orders.id,
      client_id: orders.id,
      scope: 'a',
    })
    assert.ok(iat && exp && jti)
    const bearer = json.access_token
    for (const path of ['/session', '/me', '/validate', '/me/tokens', '/forward-auth'])
      assert.equal((await app.get(path, { bearer })).code, 'token_invalid', path)

    await revokeClient(app.deps, actor, { who: 'orders' })
    assert.deepEqual(await app.introspect(bearer, billing.headers), { active: false })
    const after = await app.form('/oauth2/token', grant, { headers: orders.headers })
    assert.deepEqual([after.status, after.json.error], [401, 'invalid_client'])
  })

  test('any holder of a user’s access or refresh token may revoke it, and its session ends', async () => {
    await using app = await testApp({ engine })
    const { headers } = await app.client()
    const ada = await app.user()
    for (const kind of ['access', 'refresh'] as const) {
      const held = await app.tokens(ada)
      const told = await app.form('/oauth2/revoke', { token: held[kind], token_type_hint: 'nonsense' })
      assert.deepEqual([told.status, told.text], [200, ''])
      assert.equal((await app.get('/session', { bearer: held.access })).code, 'token_invalid')
      assert.equal((await app.post('/refresh', { refresh_token: held.refresh })).code, 'token_invalid')
      assert.deepEqual(await app.introspect(held.access, headers), { active: false })
      assert.equal((await app.events()).at(-1), 'session.ended')
      assert.equal((await app.form('/oauth2/revoke', { token: held[kind] }, { headers })).status, 200)
    }
  })

  test('the token of a service client is revoked by that client only, once', async () => {
    await using app = await testApp({ engine })
    const [orders, billing] = [await app.client('orders'), await app.client('billing')]
    const { json } = await app.form('/oauth2/token', grant, { headers: orders.headers })
    const token = json.access_token
    const revoke = (ask: object) => app.form('/oauth2/revoke', { token }, ask)
    const isActive = async () => (await app.introspect(token, billing.headers)).active

    assert.equal((await revoke({})).status, 200)
    assert.equal((await revoke({ headers: billing.headers })).status, 200)
    assert.equal(await isActive(), true)
    const wrong = await revoke({ headers: { authorization: basic(orders.id, 'wrong') } })
    assert.deepEqual([wrong.status, wrong.json.error], [401, 'invalid_client'])
    for (const half of [{ client_id: orders.id }, { client_secret: orders.secret }]) {
      const told = await app.form('/oauth2/revoke', { token, ...half })
      assert.deepEqual([told.status, told.json.error], [401, 'invalid_client'])
    }
    assert.equal((await app.form('/oauth2/revoke', { token, client_id: 'an app without a secret' })).status, 200)
    const both = await Promise.all(Array.from({ length: 50 }, () => revoke({ headers: orders.headers })))
    assert.ok(both.every(({ status }) => status === 200))
    assert.equal(await isActive(), false)
    assert.equal((await app.events()).filter((name) => name === 'service_token.revoked').length, 1)
  })

  test('a text that is not a token is revoked without effect, and so is a session cookie', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const cookie = await app.cookie(ada)
    for (const token of ['x', cookie, `${'A'.repeat(22)}.${'B'.repeat(43)}`, 'gatelodge_pat_x', 'x'.repeat(5_000)])
      assert.equal((await app.form('/oauth2/revoke', { token })).status, 200, token)
    assert.equal((await app.get('/session', { cookie })).status, 200)
    assert.equal((await app.form('/oauth2/revoke', {})).json.error, 'invalid_request')
  })

  test('no endpoint of these answers a page of another site, nor a GET', async () => {
    await using app = await testApp({ engine })
    const { headers } = await app.client()
    for (const path of ['/oauth2/token', '/oauth2/introspect', '/oauth2/revoke']) {
      const crossSite = { headers: { ...headers, 'sec-fetch-site': 'cross-site', origin: 'https://evil.test' } }
      const told = await app.form(path, { ...grant, token: 'x' }, crossSite)
      assert.deepEqual([told.status, told.json.error], [403, 'invalid_request'], path)
      assert.equal(told.headers.get('access-control-allow-origin'), null)
      assert.equal((await app.get(path, { headers })).code, 'method_not_allowed')
    }
  })

  test('the metadata name the endpoints below the issuer, letter by letter', async () => {
    await using app = await testApp({
      engine,
      env: { GATELODGE_PUBLIC_URL: 'https://auth.example', GATELODGE_INSECURE_HTTP: 'yes' },
    })
    const told = await app.get('/.well-known/oauth-authorization-server', { headers: { host: 'evil.test' } })
    assert.equal(told.json.issuer, 'https://auth.example')
    for (const [name, value] of Object.entries(told.json)) {
      if (/_endpoint$|_uri$|_documentation$/.test(name)) assert.match(String(value), /^https:\/\/auth\.example\//, name)
    }
    for (const name of ['token', 'introspection', 'revocation']) {
      const { pathname } = new URL(told.json[`${name}_endpoint`])
      assert.equal((await app.form(pathname, { token: 'x', grant_type: 'x' })).status === 404, false, name)
    }
    assert.equal((await app.get(new URL(told.json.jwks_uri).pathname)).status, 200)
  })
})
