import assert from 'node:assert/strict'
import { test } from 'node:test'
import { composeTest, forEachDatabase, TestApp, type Told, testApp } from '../../../test/support/app.ts'
import { linkOf } from '../../../test/support/attack.ts'
import { freshDatabase } from '../../../test/support/databases.ts'
import { testClock } from '../../../test/support/deps.ts'
import { createAccount } from '../../admin/users/create-user.ts'
import { systemActor } from '../../kernel/actor.ts'

const ada = { email: 'ada@example.com', password: 'quiet harbour 52', username: 'ada' }

/** Returns the options of a request from the browser that has this sign-up cookie. */
function browserOf(signUp: Told | string): { headers: { cookie: string } } {
  const value = typeof signUp === 'string' ? signUp : signUp.cookie('gatelodge-signup')
  return { headers: { cookie: `gatelodge-signup=${value}` } }
}

forEachDatabase('reserved usernames', (engine) => {
  test('the username of a pending sign-up stays reserved against everybody but its browser until it expires', async () => {
    await using app = await testApp({ engine })
    const first = await app.post('/signup', ada)
    const other = { ...ada, email: 'other@example.com' }
    const foreign = await app.post('/signup', { ...other, username: 'other' })
    const [id] = first.cookie('gatelodge-signup')?.split('.') ?? []
    const [, secret] = foreign.cookie('gatelodge-signup')?.split('.') ?? []
    const nobodys = [{}, browserOf(foreign), browserOf(`${id}.${secret}`), browserOf('x'), browserOf(`${id}.`)]
    for (const ask of nobodys) {
      for (const body of [ada, other, { ...ada, email: 'ADA@Example.com', username: ' Ada ' }])
        assert.equal((await app.post('/signup', body, ask)).code, 'username_taken')
      assert.deepEqual((await app.get('/username-available?username=ADA', ask)).json, { available: false })
    }

    assert.deepEqual((await app.get('/username-available?username=ADA', browserOf(first))).json, { available: true })
    assert.deepEqual((await app.get('/username-available?username=other', browserOf(first))).json, { available: false })
    app.clock.advance(24 * 3_600_000 - 1)
    assert.deepEqual((await app.get('/username-available?username=ada')).json, { available: false })
    app.clock.advance(1)
    assert.deepEqual((await app.get('/username-available?username=ada')).json, { available: true })
    assert.equal((await app.post('/signup', other)).status, 201)
  })

  test('a reserved username goes with its browser to the sign-up that it makes next, and stays one name', async () => {
    await using app = await testApp({ engine })
    const first = await app.post('/signup', ada)
    app.clock.advance(3_600_000)
    const second = await app.post('/signup', ada, browserOf(first))
    assert.equal(
      (await app.post('/signup', ada, browserOf(first))).code,
      'username_taken',
      'the newest cookie holds it',
    )
    app.clock.advance(3_600_000)
    const right = { ...ada, email: 'right@example.com' }
    const third = await app.post('/signup', right, browserOf(second))
    assert.deepEqual([second.status, third.status], [201, 201])
    assert.deepEqual(
      (await app.rows('usernames')).map(({ username, email, expires_at }) => [username, email, expires_at]),
      [['ada', right.email, app.clock.now() + 24 * 3_600_000]],
    )
    for (const before of [first, second])
      assert.equal((await app.post('/signup', ada, browserOf(before))).code, 'username_taken')

    // The sign-up that has lost its name still becomes an account, with its own cookie or the password.
    const links = await app.mails(ada.email)
    const { token } = linkOf(links[0]?.text ?? '')
    const without = await app.post('/verify-email', { token }, browserOf(first))
    assert.deepEqual([without.status, without.json.user.username], [200, null])
    const { token: good } = await app.lastMail(right.email)
    const told = await app.post('/verify-email', { token: good, password: ada.password })
    assert.deepEqual([told.status, told.json.user.username], [200, 'ada'])
  })

  test('only the browser that holds a reserved name gets it through the profile, and no one through an administrator', async () => {
    await using app = await testApp({ engine })
    const first = await app.post('/signup', { ...ada, email: 'gone@example.com' })
    const person = await app.user()
    const { access: bearer } = await app.tokens(person)
    const rename = (ask: object) => app.patch('/me', { username: 'Ada' }, { bearer, ...ask })
    assert.equal((await rename({})).code, 'username_taken')
    assert.equal((await app.get('/me', { bearer })).json.username, person.username)
    const command = systemActor('command', 'test')
    for (const email of ['gone@example.com', 'new@example.com']) {
      const given = { email, username: 'ada', password: ada.password }
      await assert.rejects(createAccount(app.deps, command, given), { code: 'username_taken' })
    }

    assert.equal((await rename(browserOf(first))).json.username, 'ada')
    assert.equal((await app.post('/signup', ada, browserOf(first))).code, 'username_taken')
    const names = (await app.rows('usernames')).map(({ username, user_id }) => [username, user_id])
    assert.deepEqual(names, [['ada', person.id]])
  })

  test('an address keeps three names, and a further sign-up gets its name when it is confirmed, if it is still free', async () => {
    await using app = await testApp({ engine, env: { GATELODGE_RATE_LIMITS: 'off' } })
    const isFree = async (name: string) => (await app.get(`/username-available?username=${name}`)).json.available
    const signUps: Told[] = []
    for (const username of ['one', 'two', 'three', 'four', 'five']) {
      app.clock.advance(1000)
      const told = await app.post('/signup', { ...ada, username })
      assert.deepEqual([told.status, told.json], [201, signUps[0]?.json ?? told.json])
      signUps.push(told)
    }
    const [one, , , four, five] = signUps
    const names = ['one', 'two', 'three', 'four', 'five']
    assert.deepEqual(await Promise.all(names.map(isFree)), [false, false, false, true, true])

    // A name that the browser holds remains one of the three; one that it does not hold counts as someone else's.
    assert.equal((await app.post('/signup', { ...ada, username: 'one' }, browserOf(one ?? assert.fail()))).status, 201)
    const rival = await app.post('/signup', { ...ada, email: 'rival@example.com', username: 'four' })
    assert.equal(rival.status, 201)
    assert.equal(
      (await app.post('/signup', { ...ada, username: 'four' }, browserOf(four ?? assert.fail()))).code,
      'username_taken',
    )
    assert.deepEqual(await Promise.all(names.map(isFree)), [false, false, false, false, true])

    // A browser with a name that signs up with an address that already reserves three leaves the name free.
    assert.equal((await app.post('/signup', { ...ada, username: 'four' }, browserOf(rival))).status, 201)
    assert.equal(await isFree('four'), true)

    const links = (await app.mails(ada.email)).map(({ text }) => linkOf(text).token)
    const told = await app.post('/verify-email', { token: links[4] }, browserOf(five ?? assert.fail()))
    assert.equal(told.json.user.username, 'five')
    assert.deepEqual(await Promise.all(names.map(isFree)), [false, false, false, true, false])
  })

  test('an account that got one of the names leaves no room for another before the sign-up would have expired', async () => {
    await using app = await testApp({ engine, env: { GATELODGE_RATE_LIMITS: 'off' } })
    for (const username of ['one', 'two', 'three']) {
      await app.post('/signup', { ...ada, username })
      app.clock.advance(1000)
    }
    const { token } = await app.lastMail(ada.email)
    assert.equal((await app.post('/verify-email', { token, password: ada.password })).json.user.username, 'three')
    const reserved = async (username: string) => {
      assert.equal((await app.post('/signup', { ...ada, username })).status, 201)
      return !(await app.get(`/username-available?username=${username}`)).json.available
    }
    assert.equal(await reserved('four'), false)
    app.clock.advance(24 * 3_600_000 - 3000)
    assert.deepEqual([await reserved('five'), await reserved('six')], [true, false])
    app.clock.advance(2000)
    assert.deepEqual([await reserved('six'), await reserved('seven'), await reserved('eight')], [true, true, false])
  })

  test('a sign-up whose name is another’s by now becomes an account without one', async () => {
    for (const env of [{}, { GATELODGE_USERNAME: 'required' }, { GATELODGE_ENUMERATION: 'explicit' }]) {
      await using app = await testApp({ engine, env: { ...env, GATELODGE_RATE_LIMITS: 'off' } })
      for (const username of ['one', 'two', 'three']) await app.post('/signup', { ...ada, username })
      const signedUp = await app.post('/signup', { ...ada, username: 'late' })
      const { token } = await app.lastMail(ada.email)
      await app.user({ username: 'late', email: 'fast@example.com' })
      const told = await app.post('/verify-email', { token }, browserOf(signedUp))
      assert.deepEqual([told.status, told.json.user.username], [200, null])
      const { access } = await app.tokens({ ...ada, id: '' })
      assert.equal((await app.patch('/me', { username: 'late' }, { bearer: access })).code, 'username_taken')
      assert.equal((await app.patch('/me', { username: 'mine' }, { bearer: access })).json.username, 'mine')
    }
  })

  test('mode `instant` gives a name that was reserved before to its browser only', async () => {
    const { location, release } = await freshDatabase(engine)
    const clock = testClock()
    const start = async (env: Record<string, string>) =>
      new TestApp(await composeTest({ database: location, env }, clock, []), clock, [])
    const before = await start({})
    const signedUp = await before.post('/signup', ada)
    await before[Symbol.asyncDispose]()
    {
      await using app = await start({ GATELODGE_REGISTRATION: 'instant' })
      assert.equal((await app.post('/signup', ada)).code, 'username_taken')
      const told = await app.post('/signup', { ...ada, email: 'other@example.com' }, browserOf(signedUp))
      assert.deepEqual([told.status, told.json.user.username], [201, 'ada'])
    }
    await release()
  })
})
