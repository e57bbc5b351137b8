import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forEachDatabase, type Person, type TestApp, testApp } from '../../../test/support/app.ts'
import { inParallel, tally } from '../../../test/support/attack.ts'
import { Visitor } from '../../../test/support/visitor.ts'
import { createAccount } from '../../admin/users/create-user.ts'
import { setActive } from '../../admin/users/set-active.ts'
import { ticketLife } from '../../domain/sign-in-tickets.ts'
import { cleanUp } from '../../jobs/clean-up.ts'
import { systemActor } from '../../kernel/actor.ts'
import { hour } from '../../kernel/clock.ts'
import type { UserId } from '../../kernel/ids.ts'
import { transact } from '../../store/unit-of-work.ts'

const initial = 'quiet harbour 52'
const chosen = 'calm lagoon 7 tides'

/** Creates an account with an initial password. */
async function newcomer(app: TestApp, email = 'ada@example.com'): Promise<Pick<Person, 'id' | 'email' | 'password'>> {
  const user = await createAccount(app.deps, systemActor('command', 'test'), {
    email,
    password: initial,
    mustChangePassword: true,
  })
  return { id: user.id, email: user.email, password: initial }
}

async function ticketFor(app: TestApp, { email, password }: Pick<Person, 'email' | 'password'>): Promise<string> {
  const told = await app.post('/signin', { email, password })
  assert.equal(told.json.status, 'password_change_required', told.text)
  return told.json.change_token
}

const replace = (app: TestApp, change_token: string, new_password = chosen) =>
  app.post('/signin/new-password', { change_token, new_password })

forEachDatabase('an initial password', (engine) => {
  test('leads to its replacement, and the replacement to the session that was asked for', async () => {
    await using app = await testApp({ engine })
    const ada = await newcomer(app)
    const told = await app.post('/signin', { ...ada, id: undefined, session: 'cookie', remember: true })
    assert.deepEqual([told.status, told.json.status, told.json.expires_in], [200, 'password_change_required', 600])
    assert.deepEqual(Object.keys(told.json).toSorted(), ['change_token', 'expires_in', 'status'])
    assert.deepEqual([told.setCookies, await app.rows('sessions')], [[], []])
    assert.equal((await app.rows('users'))[0]?.last_login_at, null)

    const done = await replace(app, told.json.change_token)
    assert.equal(done.status, 200, done.text)
    assert.deepEqual([done.json.user.id, done.json.session.methods], [ada.id, ['pwd']])
    assert.match(done.setCookies.join(), /gatelodge=[^;]+;[^,]*Max-Age=/)
    assert.equal((await app.get('/session', { cookie: done.cookie('gatelodge') ?? '' })).status, 200)
    const names = await app.events()
    assert.deepEqual(
      names.filter((name) => /^(signin|password|session)\./.test(name)),
      ['signin.step_required', 'password.changed', 'session.started'],
    )
    assert.match((await app.mails(ada.email)).map(({ subject }) => subject).join(), /password/)

    assert.equal((await app.post('/signin', { email: ada.email, password: initial })).status, 401)
    assert.equal((await app.post('/signin', { email: ada.email, password: chosen })).json.token_type, 'Bearer')
  })

  test('is replaced once by a ticket, however many requests bring it at the same time', async () => {
    await using app = await testApp({ engine, env: { GATELODGE_RATE_LIMITS: 'off' } })
    const ticket = await ticketFor(app, await newcomer(app))
    const told = await inParallel(50, (index) => replace(app, ticket, `calm lagoon ${index} tides`))
    const statuses = tally(told.map(({ status }) => status))
    assert.equal(statuses[200], 1, JSON.stringify(statuses))
    assert.deepEqual(
      Object.keys(statuses).filter((status) => !['200', '401', '503'].includes(status)),
      [],
    )
    assert.equal((await app.rows('sessions')).length, 1)
  })

  test('is not replaced by a ticket that is wrong, old, consumed, or a credential for anything else', async () => {
    await using app = await testApp({ engine })
    const ada = await newcomer(app)
    const ticket = await ticketFor(app, ada)
    const [id] = ticket.split('.')
    for (const wrong of ['x', `${id}.x`, `${id}.${'A'.repeat(43)}`, ticket.slice(0, -1)]) {
      assert.deepEqual([wrong, (await replace(app, wrong)).code], [wrong, 'token_invalid'])
    }
    assert.equal((await app.get('/session', { bearer: ticket })).status, 401)
    assert.equal((await app.get('/session', { cookie: ticket })).status, 401)
    assert.equal((await app.post('/reset-password', { token: ticket, new_password: chosen })).code, 'token_invalid')

    app.clock.advance(ticketLife)
    assert.equal((await replace(app, ticket)).code, 'token_invalid')
    const next = await ticketFor(app, ada)
    assert.equal((await replace(app, next)).status, 200)
    assert.equal((await replace(app, next, 'another harbour 2')).code, 'token_invalid')
  })

  test('is no longer replaced by a ticket once the account has changed', async () => {
    await using app = await testApp({ engine })
    const changes: Record<string, Record<string, unknown>> = {
      deactivated: { is_active: 0 },
      'another address': { email: 'moved@example.com' },
      'in recovery': { recovery_since: 1 },
      'another password': { password_hash: 'x' },
    }
    for (const [index, [name, columns]] of Object.entries(changes).entries()) {
      const ada = await newcomer(app, `ada${index}@example.com`)
      const ticket = await ticketFor(app, ada)
      await transact(app.deps, systemActor('command', 'test'), async (work) => {
        work.allowRemoval()
        await work.db
          .updateTable('users')
          .set(columns)
          .where('id', '=', ada.id as UserId)
          .execute()
        work.changed('all')
      })
      assert.deepEqual([name, (await replace(app, ticket)).code], [name, 'token_invalid'])
    }
  })

  test('is not replaced by a ticket from before a deactivation, even when the account is active again', async () => {
    await using app = await testApp({ engine })
    const ada = await newcomer(app)
    const ticket = await ticketFor(app, ada)
    const actor = systemActor('command', 'test')
    for (const active of [false, true]) await setActive(app.deps, actor, { who: ada.email, active })
    assert.equal((await replace(app, ticket)).code, 'token_invalid')
    assert.equal((await replace(app, await ticketFor(app, ada))).status, 200)
  })

  test('leads to no ticket for an inactive account, which is reported only after the right password', async () => {
    await using app = await testApp({ engine })
    const ada = await newcomer(app)
    await transact(app.deps, systemActor('command', 'test'), async (work) => {
      work.allowRemoval()
      await work.db.updateTable('users').set({ is_active: 0 }).execute()
      work.changed('all')
    })
    assert.equal((await app.post('/signin', { email: ada.email, password: initial })).code, 'account_inactive')
    assert.equal((await app.post('/signin', { email: ada.email, password: 'x' })).code, 'invalid_credentials')
    assert.deepEqual(await app.rows('sign_in_tickets'), [])
  })

  test('a refused replacement does not consume the ticket, and ten tries an hour are all, over all tickets', async () => {
    await using app = await testApp({ engine })
    const ada = await newcomer(app)
    const ticket = await ticketFor(app, ada)
    assert.equal((await replace(app, ticket, 'short')).json.errors[0].code, 'too_short')
    const same = await replace(app, ticket, initial)
    assert.deepEqual([same.status, same.code, same.json.errors[0].code], [400, 'input_invalid', 'reused'])

    for (let tries = 1; tries < 10; tries += 1) await replace(app, await ticketFor(app, ada), initial)
    assert.equal((await replace(app, await ticketFor(app, ada), chosen)).code, 'rate_limited')
    app.clock.advance(hour)
    assert.equal((await replace(app, await ticketFor(app, ada), chosen)).status, 200)
  })

  test('an account has ten tickets at most, and clean-up deletes those that have expired', async () => {
    await using app = await testApp({ engine, env: { GATELODGE_RATE_LIMITS: 'off' } })
    const ada = await newcomer(app)
    const first = await ticketFor(app, ada)
    app.clock.advance(1)
    let last = ''
    for (let count = 0; count < 12; count += 1) last = await ticketFor(app, ada)
    assert.equal((await app.rows('sign_in_tickets')).length, 10)
    assert.equal((await replace(app, first)).code, 'token_invalid')

    app.clock.advance(ticketLife)
    await cleanUp(app.deps)
    assert.deepEqual([await app.rows('sign_in_tickets'), (await replace(app, last)).code], [[], 'token_invalid'])
  })

  test('a mailed reset link replaces it as well', async () => {
    await using app = await testApp({ engine })
    const ada = await newcomer(app)
    await app.post('/forgot-password', { email: ada.email })
    const { token } = await app.lastMail(ada.email)
    assert.equal((await app.post('/reset-password', { token, new_password: chosen })).status, 200)
    assert.equal((await app.post('/signin', { email: ada.email, password: chosen })).json.token_type, 'Bearer')
  })

  test('a page asks for the replacement and goes on to where the sign-in led', async () => {
    await using app = await testApp({ engine })
    const ada = await newcomer(app)
    const visitor = new Visitor(app)
    const page = await visitor.fill('/login?next=/account/sessions', { identifier: ada.email, password: initial })
    assert.deepEqual([page.status, page.at], [200, '/login/new-password'])
    assert.match(page.html, /autocomplete="username" value="ada@example.com"/)
    assert.equal(visitor.cookie('gatelodge'), undefined)

    const differing = { new_password: chosen, password_confirmation: 'x' }
    const differ = await visitor.send(page, differing, '/login/new-password')
    assert.match(differ.html, /The two passwords differ/)
    const same = { new_password: initial, password_confirmation: initial }
    assert.match((await visitor.send(differ, same, '/login/new-password')).text, /Choose a different password/)
    const good = { new_password: chosen, password_confirmation: chosen }
    const done = await visitor.send(differ, good, '/login/new-password')
    assert.equal(done.at, '/account/sessions')
    assert.match(done.text, /Your password is saved/)
    assert.equal(visitor.cookie('gatelodge-ticket') || undefined, undefined)
    assert.equal((await new Visitor(app).get('/login/new-password')).at, '/login')
  })

  test('the ticket of a page is bound to its browser: the API refuses it, and a page refuses that of the API', async () => {
    await using app = await testApp({ engine })
    const ada = await newcomer(app)
    const visitor = new Visitor(app)
    const page = await visitor.fill('/login', { identifier: ada.email, password: initial })
    assert.equal((await replace(app, (visitor.cookie('gatelodge-ticket') ?? '').slice(0, 256))).code, 'token_invalid')

    const ticket = await ticketFor(app, ada)
    const planted = new Visitor(app, { cookie: `gatelodge-ticket=${ticket}` })
    assert.equal((await planted.get('/login/new-password')).at, '/login')

    app.clock.advance(ticketLife)
    const late = { new_password: chosen, password_confirmation: chosen }
    const expired = await visitor.send(page, late, '/login/new-password')
    assert.equal(expired.at, '/login')
    assert.match(expired.text, /Sign in again/)
  })
})
