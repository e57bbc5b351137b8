import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import { forEachDatabase, testApp } from '../../../test/support/app.ts'
import { storeLastSeen } from '../../jobs/last-seen.ts'
import { systemActor } from '../../kernel/actor.ts'
import { minute } from '../../kernel/clock.ts'
import type { SessionId } from '../../kernel/ids.ts'
import type { SessionRow } from '../../store/schema.ts'
import { transact } from '../../store/unit-of-work.ts'

const day = 86_400_000

forEachDatabase('sessions', (engine) => {
  test('the session check answers user and session by cookie and by token, and 401 without', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const cookie = await app.cookie(ada)
    const { access, session } = await app.tokens(ada)

    const byCookie = await app.get('/session', { cookie })
    assert.equal(byCookie.json.user.id, ada.id)
    assert.equal(byCookie.json.session.current, true)
    assert.deepEqual(byCookie.json.session.methods, ['pwd'])
    assert.equal((await app.get('/session', { bearer: access })).json.session.id, session)

    for (const headers of [{}, { authorization: 'Basic eDp5' }]) {
      const anonymous = await app.get('/session', { headers })
      assert.deepEqual(
        [anonymous.status, anonymous.code, anonymous.headers.get('www-authenticate')],
        [401, 'not_authenticated', 'Bearer realm="gatelodge"'],
      )
    }
    for (const headers of [{ authorization: 'Bearer x' }, { authorization: 'Bearer' }, { cookie: 'gatelodge=x' }]) {
      const told = await app.get('/session', { headers })
      assert.deepEqual([told.status, told.code], [401, 'token_invalid'], JSON.stringify(headers))
    }
  })

  test('an access token follows RFC 9068 and verifies against the published key', async () => {
    await using app = await testApp({ engine })
    const { access, session } = await app.tokens(await app.user())

    const { keys } = (await app.get('/.well-known/jwks.json')).json
    const header = decodeProtectedHeader(access)
    assert.deepEqual(header, { alg: 'EdDSA', kid: keys[0].kid, typ: 'at+jwt' })
    assert.equal(keys[0].d, undefined)
    const claims = decodeJwt(access)
    assert.deepEqual(Object.keys(claims).sort(), [
      'aud',
      'client_id',
      'exp',
      'iat',
      'iss',
      'jti',
      'roles',
      'sid',
      'sub',
    ])
    assert.deepEqual(
      [claims.iss, claims.aud, claims.client_id, claims.sid],
      ['http://localhost:3000', 'http://localhost:3000', 'gatelodge', session],
    )
    assert.equal((claims.exp ?? 0) - (claims.iat ?? 0), 900)
  })

  test('an access token dies with its time, its session and its user', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const first = await app.tokens(ada)
    app.clock.advance(15 * 60_000)
    assert.equal((await app.get('/session', { bearer: first.access })).code, 'token_invalid')

    const second = await app.tokens(ada)
    await app.post('/signout', {}, { bearer: second.access })
    assert.equal((await app.get('/session', { bearer: second.access })).code, 'token_invalid')
  })

  test('validate names the user and when the credential ends', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const { access } = await app.tokens(ada)
    const byToken = await app.get('/validate', { bearer: access })
    assert.deepEqual(byToken.json, {
      username: ada.username,
      fullname: ada.username,
      sub: ada.id,
      exp: decodeJwt(access).exp,
    })
    const byCookie = await app.get('/validate', { cookie: await app.cookie(ada) })
    assert.equal(byCookie.json.exp, Math.floor((app.clock.now() + 7 * day) / 1000))
    for (const ask of [{ bearer: 'x.y.z' }, {}]) {
      const told = await app.get('/validate', ask)
      assert.deepEqual([told.status, told.code], [401, 'token_invalid'])
    }
  })

  test('a session ends after its idle time and after its absolute time', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const idle = await app.cookie(ada)
    app.clock.advance(7 * day)
    assert.equal((await app.get('/session', { cookie: idle })).status, 401)

    const used = await app.cookie(ada)
    for (let days = 0; days < 30; days += 6) {
      assert.equal((await app.get('/session', { cookie: used })).status, 200, `day ${days}`)
      app.clock.advance(6 * day)
    }
    assert.equal((await app.get('/session', { cookie: used })).status, 401)
  })

  test('the last use is stored at most once a minute, off the request’s path', async () => {
    await using app = await testApp({ engine })
    const { storeLastSeen } = await import('../../jobs/last-seen.ts')
    const cookie = await app.cookie(await app.user())
    const seen = async () => (await app.rows('sessions'))[0]?.last_seen_at
    const start = app.clock.now()

    app.clock.advance(59_000)
    await app.get('/session', { cookie })
    await storeLastSeen(app.deps)
    assert.equal(await seen(), start)

    app.clock.advance(1_000)
    await app.get('/session', { cookie })
    await app.get('/session', { cookie })
    assert.equal(await seen(), start)
    await storeLastSeen(app.deps)
    assert.equal(await seen(), start + 60_000)
    assert.equal(
      (await app.get('/session', { cookie })).json.session.last_seen_at,
      new Date(start + 60_000).toISOString(),
    )
  })

  test('a refresh rotates the pair, and the pair of before still answers with the same successor during the grace', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const { refresh } = await app.tokens(ada)

    const first = await app.post('/refresh', { refresh_token: refresh })
    assert.equal(first.status, 200)
    assert.notEqual(first.json.refresh_token, refresh)
    app.clock.advance(9_000)
    const again = await app.post('/refresh', { refresh_token: refresh })
    assert.deepEqual(
      [again.json.refresh_token, again.json.access_token],
      [first.json.refresh_token, first.json.access_token],
    )
    assert.equal(again.json.expires_in, first.json.expires_in - 9)
    assert.equal((await app.rows('refresh_tokens')).length, 2)
    assert.equal((await app.post('/refresh', { refresh_token: first.json.refresh_token })).status, 200)
  })

  test('a spent refresh token that comes back after its grace ends the session', async () => {
    await using app = await testApp({ engine })
    const { refresh } = await app.tokens(await app.user())
    const next = (await app.post('/refresh', { refresh_token: refresh })).json
    app.clock.advance(10_000)

    assert.deepEqual((await app.post('/refresh', { refresh_token: refresh })).code, 'token_invalid')
    assert.equal((await app.post('/refresh', { refresh_token: next.refresh_token })).code, 'token_invalid')
    assert.equal((await app.get('/session', { bearer: next.access_token })).status, 401)
    assert.equal((await app.events()).includes('refresh.reused'), true)
  })

  test('twenty parallel refreshes of one token have one successor and sign no one out', async () => {
    await using app = await testApp({ engine })
    const { refresh } = await app.tokens(await app.user())

    const told = await Promise.all(Array.from({ length: 20 }, () => app.post('/refresh', { refresh_token: refresh })))
    assert.deepEqual(new Set(told.map(({ status }) => status)), new Set([200]))
    assert.equal(new Set(told.map(({ json }) => json.refresh_token)).size, 1)
    assert.equal((await app.rows('refresh_tokens')).length, 2)
    assert.equal((await app.post('/refresh', { refresh_token: told[0]?.json.refresh_token })).status, 200)
  })

  test('a refresh token is rejected if it is malformed, foreign, of an ended session or a deactivated account', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const { refresh, access } = await app.tokens(ada)
    const [id] = refresh.split('.')
    for (const text of ['x', `${id}.${'A'.repeat(43)}`, `${'A'.repeat(22)}.${'A'.repeat(43)}`, access.slice(0, 256)]) {
      assert.equal((await app.post('/refresh', { refresh_token: text })).code, 'token_invalid')
    }

    app.clock.advance(7 * day)
    assert.equal((await app.post('/refresh', { refresh_token: refresh })).code, 'token_invalid')
  })

  test('sign-out ends the session of a cookie, a refresh token or an expired access token, and is idempotent', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()

    const cookie = await app.cookie(ada)
    const told = await app.post('/signout', {}, { cookie })
    assert.deepEqual(told.json, { message: 'You have signed out', username: ada.username })
    assert.match(told.setCookies[0] ?? '', /^gatelodge=; .*Max-Age=0/)
    assert.deepEqual((await app.post('/signout', {}, { cookie })).json.username, null)

    const byRefresh = await app.tokens(ada)
    assert.equal((await app.post('/signout', { refresh_token: byRefresh.refresh })).json.username, ada.username)

    const byAccess = await app.tokens(ada)
    app.clock.advance(16 * 60_000)
    assert.equal((await app.post('/signout', {}, { bearer: byAccess.access })).json.username, ada.username)
    assert.equal((await app.post('/signout', {}, { bearer: 'x.y.z' })).json.username, null)
    assert.equal((await app.ask('POST', '/signout')).status, 200)
    assert.deepEqual(await app.rows('sessions'), [])
  })

  test('users can list and revoke their own sessions, and no others', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const eve = await app.user()
    const cookie = await app.cookie(ada)
    const other = await app.tokens(ada)
    const foreign = await app.tokens(eve)

    const { sessions } = (await app.get('/me/sessions', { cookie })).json
    assert.deepEqual(sessions.map((session: { current: boolean }) => session.current).sort(), [false, true])
    assert.equal((await app.delete(`/me/sessions/${foreign.session}`, { cookie })).status, 404)
    assert.equal((await app.delete(`/me/sessions/${'A'.repeat(22)}`, { cookie })).status, 404)
    assert.equal((await app.get('/session', { bearer: foreign.access })).status, 200)

    assert.equal((await app.delete(`/me/sessions/${other.session}`, { cookie })).status, 204)
    assert.equal((await app.get('/session', { bearer: other.access })).status, 401)
    const third = await app.tokens(ada)
    assert.equal((await app.delete('/me/sessions', { cookie })).status, 204)
    assert.equal((await app.get('/session', { bearer: third.access })).status, 401)
    assert.equal((await app.get('/session', { cookie })).status, 200)
  })

  test('a sign-out that cannot reach the database is no success', async () => {
    const app = await testApp({ engine })
    const { access } = await app.tokens(await app.user())
    await app.composition.close()
    const told = await app.post('/signout', {}, { bearer: access })
    assert.deepEqual([told.status, told.code], engine === 'postgres' ? [503, 'service_unavailable'] : [500, 'internal'])
    assert.equal(
      app.logged.some(({ level, instance }) => level === 'error' && instance === told.json.instance),
      true,
    )
  })

  test('an account has a thousand sessions at most: the longest unused gives way', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const first = await app.tokens(ada)
    const [row] = (await app.rows('sessions')) as unknown as SessionRow[]
    assert.ok(row)
    await transact(app.deps, systemActor('command', 'test'), async (work) => {
      const copies = Array.from({ length: 999 }, (_, n) => ({ ...row, id: `copy${n}` as SessionId }))
      await work.db.insertInto('sessions').values(copies).execute()
    })
    app.clock.advance(minute)
    assert.equal((await app.get('/session', { bearer: first.access })).status, 200)
    await storeLastSeen(app.deps)

    const next = await app.tokens(ada)
    const sessions = (await app.rows('sessions')) as unknown as SessionRow[]
    assert.equal(sessions.length, 1_000)
    assert.equal(sessions.filter(({ id }) => id.startsWith('copy')).length, 998)
    for (const { access } of [first, next]) assert.equal((await app.get('/session', { bearer: access })).status, 200)
  })
})
