import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forEachDatabase, type Person, type TestApp, testApp } from '../../../test/support/app.ts'
import { tables } from '../../../test/support/attack.ts'
import { deleteAccount } from '../../admin/users/delete-user.ts'
import { systemActor } from '../../kernel/actor.ts'
import type { UserId } from '../../kernel/ids.ts'
import { transact } from '../../store/unit-of-work.ts'

async function promote(app: TestApp, person: Person) {
  await transact(app.deps, systemActor('command', 'test'), async (work) => {
    await work.db
      .insertInto('user_roles')
      .values({ user_id: person.id as UserId, role: 'administrator' })
      .execute()
    work.changed([person.id as UserId])
  })
}

async function storedText(app: TestApp): Promise<string> {
  return JSON.stringify(await Promise.all(tables.map((table) => app.rows(table))))
}

forEachDatabase('own data', (engine) => {
  test('people see what happened to their account, the newest first', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const cookie = await app.cookie(ada)
    const { events } = (await app.get('/me/events', { cookie })).json
    assert.deepEqual(
      events.map(({ name }: { name: string }) => name),
      ['session.started', 'email.verified', 'user.created'],
    )
    assert.equal(events[0].ip, '192.0.2.1')
  })

  test('the export holds everything but secrets', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const cookie = await app.cookie(ada)
    const told = await app.get('/me/export', { cookie })
    assert.equal(told.json.user.email, ada.email)
    assert.equal(told.json.sessions.length, 1)
    assert.ok(told.json.events.length >= 3)
    assert.doesNotMatch(told.text, /hash|argon2/)
    assert.match(told.headers.get('content-disposition') ?? '', /^attachment/)
  })

  test('a deletion needs the password or a fresh proof and removes everything', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user({ username: 'ada' })
    const cookie = await app.cookie(ada)
    assert.equal((await app.delete('/me', { cookie }, { password: 'wrong harbour' })).code, 'incorrect_password')
    app.clock.advance(16 * 60_000)
    assert.equal((await app.delete('/me', { cookie })).code, 'reauthentication_required')

    assert.equal((await app.delete('/me', { cookie }, { password: ada.password })).status, 204)
    assert.equal((await app.get('/session', { cookie })).status, 401)
    for (const table of ['users', 'profiles', 'usernames', 'sessions', 'one_time_tokens', 'known_devices'] as const) {
      assert.deepEqual(await app.rows(table), [], table)
    }
    const events = await app.rows('events')
    assert.equal(events.at(-1)?.name, 'user.deleted')
    assert.deepEqual(
      events.filter((event) => event.user_id === ada.id && event.ip !== null),
      [],
    )
  })

  test('a deletion leaves no address of the account and no name from any sign-up with one of its addresses', async () => {
    await using app = await testApp({ engine })
    const password = 'quiet harbour 52'
    const ways = {
      self: (bearer: string, _id: string) => app.delete('/me', { bearer }, { password }),
      operator: (_bearer: string, who: string) => deleteAccount(app.deps, systemActor('command', 'test'), { who }),
    }
    for (const [way, remove] of Object.entries(ways)) {
      const [former, current] = [`former-${way}@mark.example`, `current-${way}@mark.example`]
      for (const first_name of ['Markone', 'Marktwo']) {
        const username = `${first_name}-${way}`
        assert.equal((await app.post('/signup', { email: former, password, username, first_name })).status, 201)
      }
      const { token } = await app.lastMail(former)
      const { id } = (await app.post('/verify-email', { token, password })).json.user
      const { access } = await app.tokens({ id, email: former, password, username: '' })
      await app.post('/change-email', { new_email: current, password }, { bearer: access })
      const moved = { token: (await app.lastMail(current)).token }
      assert.equal((await app.post('/change-email/confirm', moved, { bearer: access })).status, 200)
      for (const email of [former, current])
        await app.post('/signup', { email, password, username: `${email.split('@')[0]}-mark`, last_name: 'Markthree' })
      assert.match(await storedText(app), /mark/i)

      await remove(access, id)
      assert.doesNotMatch(await storedText(app), /mark/i, way)
    }
  })

  test('a fresh session needs no password to delete', async () => {
    await using app = await testApp({ engine })
    const cookie = await app.cookie(await app.user())
    assert.equal((await app.delete('/me', { cookie })).status, 204)
  })

  test('the last administrator cannot leave; one of two can', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const eve = await app.user()
    await promote(app, ada)
    const cookie = await app.cookie(ada)
    assert.deepEqual((await app.get('/session', { cookie })).json.user.roles, ['administrator'])
    const refused = await app.delete('/me', { cookie })
    assert.deepEqual([refused.status, refused.code], [409, 'last_administrator'])

    await promote(app, eve)
    assert.equal((await app.delete('/me', { cookie })).status, 204)
  })

  test('an account is not deleted by a session that ended while its password was being checked', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const { access, session } = await app.tokens(ada)
    const mine = await app.tokens(ada)
    const { hasher } = app.deps
    const verify = hasher.verify
    hasher.verify = async (...job) => {
      hasher.verify = verify
      await app.delete(`/me/sessions/${session}`, { bearer: mine.access })
      return verify(...job)
    }
    const told = await app.delete('/me', { bearer: access }, { password: ada.password })
    assert.equal(told.code, 'token_invalid')
    assert.equal((await app.get('/session', { bearer: mine.access })).status, 200)
  })
})
