import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forEachDatabase, testApp } from '../../../test/support/app.ts'
import { day, hour, minute } from '../../kernel/clock.ts'

const fresh = 'another harbour 53'

forEachDatabase('password change', (engine) => {
  test('the right old password changes it, ends the other sessions and keeps this one', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const { access } = await app.tokens(ada)
    const other = await app.cookie(ada)

    const told = await app.post(
      '/change-password',
      { old_password: ada.password, new_password: fresh },
      { bearer: access },
    )
    assert.deepEqual([told.status, told.json.message], [200, 'Password changed successfully'])
    assert.equal((await app.get('/session', { bearer: access })).status, 200)
    assert.equal((await app.get('/session', { cookie: other })).status, 401)
    assert.equal((await app.post('/signin', { email: ada.email, password: fresh })).status, 200)
    assert.equal((await app.post('/signin', { email: ada.email, password: ada.password })).code, 'invalid_credentials')
    assert.equal(
      (await app.mails(ada.email)).some(({ kind }) => kind === 'password_changed'),
      true,
    )
  })

  test('a wrong old password changes nothing, and guesses are slowed down', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const { access } = await app.tokens(ada)

    const codes = []
    for (let round = 0; round < 6; round += 1) {
      const told = await app.post(
        '/change-password',
        { old_password: `guess ${round}`, new_password: fresh },
        { bearer: access },
      )
      codes.push(told.code)
      if (round === 0) assert.deepEqual([told.status, told.json.detail], [400, 'Incorrect current password'])
    }
    assert.deepEqual(codes, [...Array(5).fill('incorrect_password'), 'rate_limited'])
    assert.equal((await app.post('/signin', { email: ada.email, password: ada.password })).status, 200)
  })

  test('the password policy applies, and a caller who is not signed in is rejected', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const { access } = await app.tokens(ada)
    const told = await app.post(
      '/change-password',
      { old_password: ada.password, new_password: ada.email },
      { bearer: access },
    )
    assert.equal(told.json.errors[0].field, 'new_password')
    assert.equal(
      (await app.post('/change-password', { old_password: 'x', new_password: fresh })).code,
      'not_authenticated',
    )
  })

  test('of two parallel changes by one old password one succeeds', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const { access } = await app.tokens(ada)
    const told = await Promise.all(
      [fresh, 'third harbour 54'].map((password) =>
        app.post('/change-password', { old_password: ada.password, new_password: password }, { bearer: access }),
      ),
    )
    assert.deepEqual(told.map(({ status }) => status).sort(), [200, 400])
  })

  test('a change voids a reset link', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const { access } = await app.tokens(ada)
    await app.post('/forgot-password', { email: ada.email })
    const { token } = await app.lastMail(ada.email)
    await app.post('/change-password', { old_password: ada.password, new_password: fresh }, { bearer: access })
    assert.equal((await app.post('/reset-password', { token, new_password: 'third harbour 54' })).code, 'token_invalid')
  })

  test('a session changes the password five times an hour, however many ask at once', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const cookie = await app.cookie(ada)
    const change = (old: number) =>
      app.post(
        '/change-password',
        { old_password: old === 0 ? ada.password : `quiet harbour 6${old}`, new_password: `quiet harbour 6${old + 1}` },
        { cookie },
      )
    for (let old = 0; old < 5; old += 1) assert.equal((await change(old)).status, 200)
    const told = await Promise.all(Array.from({ length: 4 }, () => change(5)))
    assert.deepEqual([...new Set(told.map(({ code }) => code))], ['rate_limited'])
    assert.ok(Number(told[0]?.headers.get('retry-after')) > 3500)
    app.clock.advance(hour)
    assert.equal((await change(5)).status, 200)
  })

  test('the owner is told at once, then once an hour, and of a change between by the next mail', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const cookie = await app.cookie(ada)
    const start = app.clock.now()
    let current = ada.password
    const change = async () => {
      const passwords = { old_password: current, new_password: `${current}!` }
      const told = await app.post('/change-password', passwords, { cookie })
      assert.equal(told.status, 200, told.text)
      current = passwords.new_password
    }
    const told = async () => (await app.mails(ada.email)).filter(({ kind }) => kind === 'password_changed')

    await change()
    assert.equal((await told()).length, 1)
    for (let minutes = 10; minutes < 40; minutes += 10) {
      app.clock.advance(10 * minute)
      await change()
    }
    assert.equal((await told()).length, 1)
    app.clock.advance(start + hour - app.clock.now())
    assert.equal((await told()).length, 2)
    assert.match((await told()).at(-1)?.text ?? '', new RegExp(minuteOf(start + 10 * minute)))
    await change()
    assert.equal((await told()).length, 2)
    app.clock.advance(hour)
    assert.equal((await told()).length, 3)
    app.clock.advance(2 * hour)
    await change()
    assert.equal((await told()).length, 4)
  })

  test('a notice is due immediately if the clock was set back since the last one', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const change = async (old: string, fresh: string) => {
      const { access } = await app.tokens({ ...ada, password: old })
      const told = await app.post('/change-password', { old_password: old, new_password: fresh }, { bearer: access })
      assert.equal(told.status, 200, told.text)
      return (await app.mails(ada.email)).filter(({ kind }) => kind === 'password_changed').length
    }
    app.clock.advance(day)
    assert.equal(await change(ada.password, fresh), 1)
    app.clock.advance(-day)
    assert.equal(await change(fresh, 'third harbour 54'), 2)
  })

  test('a change that waits for its hash while its session is ended changes nothing', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const { access, session } = await app.tokens(ada)
    const mine = await app.tokens(ada)
    const { hasher } = app.deps
    const hash = hasher.hash
    app.deps.hasher.hash = async (...job) => {
      hasher.hash = hash
      assert.equal((await app.delete(`/me/sessions/${session}`, { bearer: mine.access })).status, 204)
      return hash(...job)
    }
    const passwords = { old_password: ada.password, new_password: fresh }
    assert.equal((await app.post('/change-password', passwords, { bearer: access })).code, 'token_invalid')
    assert.equal((await app.post('/signin', { email: ada.email, password: ada.password })).status, 200)
  })
})

/** Formats an instant as emails do. */
function minuteOf(instant: number): string {
  return new Date(instant)
    .toLocaleTimeString('en', { timeZone: 'UTC', hour: 'numeric', minute: '2-digit' })
    .replaceAll('\u202f', ' ')
}
