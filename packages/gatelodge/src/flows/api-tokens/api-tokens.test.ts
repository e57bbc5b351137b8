import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forEachDatabase, type TestApp, testApp } from '../../../test/support/app.ts'
import { setActive } from '../../admin/users/set-active.ts'
import { storeLastSeen } from '../../jobs/last-seen.ts'
import { systemActor } from '../../kernel/actor.ts'
import { day, minute, second } from '../../kernel/clock.ts'
import type { SessionId } from '../../kernel/ids.ts'
import { createApiToken } from './create-token.ts'

const actor = systemActor('command', 'test')

async function withToken(app: TestApp, wish: object = {}) {
  const ada = await app.user()
  const { access } = await app.tokens(ada)
  const made = await app.post('/me/tokens', { name: 'script', scopes: ['files:read'], ...wish }, { bearer: access })
  assert.equal(made.status, 201, made.text)
  return { ada, access, made: made.json, token: String(made.json.token) }
}

forEachDatabase('API tokens', (engine) => {
  test('a token is shown once, listed by its id, and good for its scopes until it expires', async () => {
    await using app = await testApp({ engine })
    const { headers } = await app.client()
    const { ada, access, made, token } = await withToken(app, { expires_in: 3_600 })
    assert.match(token, /^gatelodge_pat_[\w-]{22}\.[\w-]{43}$/)
    const { token: _, ...listed } = made
    assert.deepEqual((await app.get('/me/tokens', { bearer: access })).json, { tokens: [listed] })
    assert.deepEqual([listed.name, listed.scopes, listed.last_used_at], ['script', ['files:read'], null])

    const told = await app.introspect(token, headers)
    assert.deepEqual(
      [told.active, told.sub, told.scope, told.client_id, told.username, told.exp - told.iat, told.sid, told.user.id],
      [true, ada.id, 'files:read', 'gatelodge', ada.username, 3_600, undefined, ada.id],
    )
    app.clock.advance(3_600 * second)
    assert.deepEqual(await app.introspect(token, headers), { active: false })
    assert.equal((await app.get('/session', { bearer: token })).code, 'token_invalid')
    const { access: later } = await app.tokens(ada)
    assert.deepEqual((await app.get('/me/tokens', { bearer: later })).json, { tokens: [] })
  })

  test('here a token says whose it is, and may do nothing else', async () => {
    await using app = await testApp({ engine })
    const { ada, token, made } = await withToken(app)
    const session = await app.get('/session', { bearer: token })
    assert.deepEqual([session.json.user.id, session.json.session.id], [ada.id, made.id])
    assert.equal((await app.get('/me', { bearer: token })).json.id, ada.id)
    const valid = await app.get('/validate', { bearer: token })
    assert.deepEqual([valid.json.sub, valid.json.exp], [ada.id, Date.parse(made.expires_at) / 1000])

    const before = await app.rows('api_tokens')
    for (const [method, path, body] of [
      ['PATCH', '/me', { first_name: 'x' }],
      ['DELETE', '/me', { password: ada.password }],
      ['GET', '/me/export', undefined],
      ['GET', '/me/events', undefined],
      ['GET', '/me/sessions', undefined],
      ['DELETE', '/me/sessions', undefined],
      ['GET', '/me/tokens', undefined],
      ['POST', '/me/tokens', { name: 'more' }],
      ['DELETE', `/me/tokens/${made.id}`, undefined],
      ['POST', '/change-password', { old_password: ada.password, new_password: 'loud harbour 53' }],
      ['POST', '/change-email', { new_email: 'x@example.com', password: ada.password }],
      ['POST', '/reauthenticate', { password: ada.password }],
    ] as const) {
      const told = await app.ask(method, path, body, { bearer: token })
      assert.deepEqual([told.status, told.code], [403, 'insufficient_scope'], `${method} ${path}`)
      assert.match(told.headers.get('www-authenticate') ?? '', /error="insufficient_scope"/)
    }
    assert.deepEqual(await app.rows('api_tokens'), before)
    assert.equal((await app.post('/signout', {}, { bearer: token })).json.username, null)
    assert.equal((await app.post('/refresh', { refresh_token: token })).code, 'token_invalid')
    assert.equal((await app.get('/session', { bearer: token })).status, 200)
  })

  test('only the owner or the holder can revoke a token, and a revoked token is rejected immediately', async () => {
    await using app = await testApp({ engine })
    const { headers } = await app.client()
    const { access, token, made } = await withToken(app)
    const mallory = await app.tokens(await app.user())
    const foreign = await app.delete(`/me/tokens/${made.id}`, { bearer: mallory.access })
    const none = await app.delete(`/me/tokens/${'A'.repeat(22)}`, { bearer: mallory.access })
    assert.deepEqual([foreign.status, foreign.json.detail], [none.status, none.json.detail])
    assert.equal(foreign.status, 404)
    assert.equal((await app.introspect(token, headers)).active, true)

    assert.equal((await app.delete(`/me/tokens/${made.id}`, { bearer: access })).status, 204)
    assert.deepEqual(await app.introspect(token, headers), { active: false })
    assert.equal((await app.delete(`/me/tokens/${made.id}`, { bearer: access })).status, 404)

    const again = await app.post('/me/tokens', { name: 'two' }, { bearer: access })
    assert.equal((await app.form('/oauth2/revoke', { token: `${again.json.token.slice(0, -2)}AA` })).status, 200)
    assert.equal((await app.introspect(again.json.token, headers)).active, true)
    assert.equal((await app.form('/oauth2/revoke', { token: again.json.token })).status, 200)
    assert.deepEqual(await app.introspect(again.json.token, headers), { active: false })
  })

  test('a reset, an undone change of address and a stopped account revoke every token; a changed password does not', async () => {
    await using app = await testApp({ engine })
    const { headers } = await app.client()
    const isActive = async (token: string) => (await app.introspect(token, headers)).active

    const first = await withToken(app)
    const words = { old_password: first.ada.password, new_password: 'loud harbour 53' }
    assert.equal((await app.post('/change-password', words, { bearer: first.access })).status, 200)
    assert.equal(await isActive(first.token), true)
    await app.post('/forgot-password', { email: first.ada.email })
    const { token: link } = await app.lastMail(first.ada.email)
    assert.equal((await app.post('/reset-password', { token: link, new_password: 'calm harbour 54' })).status, 200)
    assert.equal(await isActive(first.token), false)

    const second = await withToken(app)
    const wish = { new_email: 'elsewhere@example.com', password: second.ada.password }
    await app.post('/change-email', wish, { bearer: second.access })
    await app.post('/change-email/confirm', { token: (await app.lastMail('elsewhere@example.com')).token })
    assert.equal(await isActive(second.token), true)
    await app.post('/change-email/undo', { token: (await app.lastMail(second.ada.email)).token })
    assert.equal(await isActive(second.token), false)

    const third = await withToken(app)
    await setActive(app.deps, actor, { who: third.ada.id, active: false })
    assert.equal(await isActive(third.token), false)
    await setActive(app.deps, actor, { who: third.ada.id, active: true })
    assert.equal(await isActive(third.token), false)

    const fourth = await withToken(app)
    assert.equal((await app.delete('/me', { bearer: fourth.access }, { password: fourth.ada.password })).status, 204)
    assert.equal(await isActive(fourth.token), false)
    assert.deepEqual(await app.rows('api_tokens'), [])
  })

  test('its owner is notified by email, without the text of its creator, and finds it in events and export', async () => {
    await using app = await testApp({ engine })
    const { ada, access, made } = await withToken(app, { name: 'visit evil.test' })
    const mail = await app.lastMail(ada.email)
    assert.match(mail.subject, /API token/)
    assert.doesNotMatch(`${mail.html}${mail.text}`, /evil\.test|gatelodge_pat_/)
    const { json } = await app.get('/me/events', { bearer: access })
    const event = json.events.find(({ name }: { name: string }) => name === 'api_token.created')
    assert.deepEqual(event.data, { token_id: made.id, scopes: ['files:read'], expires_at: made.expires_at })
    const { token: _, ...listed } = made
    assert.deepEqual((await app.get('/me/export', { bearer: access })).json.api_tokens, [listed])
  })

  test('at most five notices are sent a day, also to an unproved address', async () => {
    await using app = await testApp({ engine, env: { GATELODGE_REGISTRATION: 'instant' } })
    const email = 'victim@example.com'
    const signedUp = await app.post('/signup', { email, password: 'quiet harbour 52' })
    const bearer = signedUp.json.access_token
    const notices = async () => (await app.mails(email)).filter(({ kind }) => kind === 'api_token_created').length
    const make = async () => {
      const { status, json } = await app.post('/me/tokens', { name: 'x' }, { bearer })
      assert.deepEqual([status, (await app.delete(`/me/tokens/${json.id}`, { bearer })).status], [201, 204])
    }
    for (let round = 0; round < 8; round += 1) await make()
    assert.equal(await notices(), 5)
    app.clock.advance(day)
    const later = await app.post('/signin', { email, password: 'quiet harbour 52' })
    assert.equal((await app.post('/me/tokens', { name: 'x' }, { bearer: later.json.access_token })).status, 201)
    assert.equal(await notices(), 6)
  })

  test('fifty tokens are the most, also when they are asked for at once', async () => {
    await using app = await testApp({ engine })
    const { access } = await app.tokens(await app.user())
    const make = () => app.post('/me/tokens', { name: 'x' }, { bearer: access })
    const told = await Promise.all(Array.from({ length: 55 }, make))
    assert.equal(told.filter(({ status }) => status === 201).length, 50)
    assert.ok(told.every(({ status, code }) => status === 201 || code === 'input_invalid'))
    assert.equal((await app.rows('api_tokens')).length, 50)
    const one = told.find(({ status }) => status === 201)
    await app.delete(`/me/tokens/${one?.json.id ?? ''}`, { bearer: access })
    assert.equal((await make()).status, 201)
  })

  test('a token requested before a reset is not created after it', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const { session } = await app.tokens(ada)
    const me = await app.deps.sessionCache.find(session as SessionId)
    assert.ok(me)
    await app.post('/forgot-password', { email: ada.email })
    const { token } = await app.lastMail(ada.email)
    assert.equal((await app.post('/reset-password', { token, new_password: 'calm harbour 54' })).status, 200)
    const late = createApiToken(app.deps, actor, me, { name: 'x', scopes: [], expiresIn: 60 })
    await assert.rejects(late, { code: 'token_invalid' })
    assert.deepEqual(await app.rows('api_tokens'), [])
  })

  test('an old proof is not enough for a token', async () => {
    await using app = await testApp({ engine, env: { GATELODGE_ACCESS_TOKEN_TTL: '1h' } })
    const { access } = await app.tokens(await app.user())
    app.clock.advance(16 * minute)
    assert.equal((await app.post('/me/tokens', { name: 'x' }, { bearer: access })).code, 'reauthentication_required')
    assert.deepEqual(await app.rows('api_tokens'), [])
  })

  test('what is wrong with a token that is asked for is named', async () => {
    await using app = await testApp({ engine })
    const { access } = await app.tokens(await app.user())
    for (const [wish, field] of [
      [{ name: '' }, 'name'],
      [{ name: 'x'.repeat(65) }, 'name'],
      [{ name: 'x\u202e' }, 'name'],
      [{ name: 'x', scopes: ['a b'] }, 'scopes'],
      [{ name: 'x', scopes: ['"'] }, 'scopes'],
      [{ name: 'x', scopes: [''] }, 'scopes'],
      [{ name: 'x', scopes: ['é'] }, 'scopes'],
      [{ name: 'x', scopes: ['a'.repeat(65)] }, 'scopes'],
      [{ name: 'x', scopes: Array.from({ length: 21 }, (_, index) => `s${index}`) }, 'scopes'],
      [{ name: 'x', expires_in: 0 }, 'expires_in'],
      [{ name: 'x', expires_in: 1.5 }, 'expires_in'],
      [{ name: 'x', expires_in: (367 * day) / second }, 'expires_in'],
      [{ name: 'x', user_id: 'y' }, 'user_id'],
    ] as const) {
      const told = await app.post('/me/tokens', wish, { bearer: access })
      assert.equal(told.code, 'input_invalid', JSON.stringify(wish))
      assert.equal(told.json.errors[0].field, field, JSON.stringify(wish))
    }
    assert.deepEqual(await app.rows('api_tokens'), [])
    const twice = await app.post('/me/tokens', { name: 'x', scopes: ['a', 'b', 'a'] }, { bearer: access })
    assert.deepEqual(twice.json.scopes, ['a', 'b'])
  })

  test('the last use is noted to a minute, off the request', async () => {
    await using app = await testApp({ engine })
    const { headers } = await app.client()
    const { access, token } = await withToken(app)
    const lastUse = async () => {
      await storeLastSeen(app.deps)
      return (await app.get('/me/tokens', { bearer: access })).json.tokens[0].last_used_at
    }
    assert.equal(await lastUse(), null)
    for (const wait of [20 * second, minute]) {
      app.clock.advance(wait)
      await app.introspect(token, headers)
      const used = app.clock.now()
      app.clock.advance(minute - 1)
      await app.get('/session', { bearer: token })
      assert.equal(await lastUse(), new Date(used).toISOString())
    }
  })
})
