import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forEachDatabase, testApp } from '../support/app.ts'
import { inParallel, linkOf, tally } from '../support/attack.ts'

const password = 'quiet harbour 52'
const unlimited = { GATELODGE_RATE_LIMITS: 'off' }

forEachDatabase('10 one-use races', (engine) => {
  test('fifty parallel uses of one verification link have one success', async () => {
    await using app = await testApp({ engine, env: unlimited })
    const signUp = await app.post('/signup', { email: 'ada@example.com', password, username: 'ada' })
    const headers = { cookie: `gatelodge-signup=${signUp.cookie('gatelodge-signup')}` }
    const { token } = await app.lastMail('ada@example.com')

    const told = await inParallel(50, (index) =>
      app.post('/verify-email', index % 2 ? { token } : { token, password }, { headers }),
    )
    assert.deepEqual(tally(told.map(({ status, code }) => code ?? status)), { 200: 1, token_invalid: 49 })
    assert.equal(new Set(told.filter(({ status }) => status === 400).map(({ json }) => json.detail)).size, 1)
    assert.equal((await app.rows('users')).length, 1)
    assert.equal((await app.events()).filter((name) => name === 'user.created').length, 1)
    assert.equal((await app.mails('ada@example.com')).filter(({ kind }) => kind === 'welcome').length, 1)
  })

  test('fifty sign-ups of one address, with all links confirmed in parallel, create one account', async () => {
    await using app = await testApp({ engine, env: unlimited })
    const email = 'ada@example.com'
    const signUps = await inParallel(50, (index) => app.post('/signup', { email, password, username: `ada${index}` }))
    assert.deepEqual(tally(signUps.map(({ status }) => status)), { 201: 50 })
    const tokens = (await app.mails(email)).map(({ text }) => linkOf(text).token)
    assert.equal(new Set(tokens).size, 50)
    const reserved = (await app.rows('usernames')).map(({ username }) => String(username))
    assert.equal(reserved.length, 3)

    // These are not the browsers that signed up: each must give the password, which is right for all of them.
    const told = await Promise.all(tokens.map((token) => app.post('/verify-email', { token, password })))
    assert.deepEqual(tally(told.map(({ status, code }) => code ?? status)), { 200: 1, token_invalid: 49 })
    const users = await app.rows('users')
    assert.deepEqual(
      users.map(({ id }) => id),
      told.filter(({ status }) => status === 200).map(({ json }) => json.user.id),
    )
    assert.equal((await app.events()).filter((name) => name === 'user.created').length, 1)
    assert.deepEqual(await app.rows('pending_signups'), [])
    const names = await app.rows('usernames')
    const owned = names.filter(({ user_id }) => user_id !== null)
    assert.deepEqual(
      owned.map(({ username, user_id }) => [username, user_id]),
      users.map(({ username, id }) => [username, id]),
    )
    assert.deepEqual(
      names.map(({ username }) => username).toSorted(),
      [...new Set([...reserved, String(owned[0]?.username)])].toSorted(),
      'the names that are reserved stay so',
    )

    const late = await Promise.all(tokens.map((token) => app.post('/verify-email', { token, password })))
    assert.deepEqual(tally(late.map(({ code }) => code)), { token_invalid: 50 })
  })

  test('each of fifty links confirmed by its own browser at once: one account, the rest token_invalid', async () => {
    await using app = await testApp({ engine, env: unlimited })
    const email = 'ada@example.com'
    const links: { token: string; headers: { cookie: string } }[] = []
    for (let index = 0; index < 50; index += 1) {
      const told = await app.post('/signup', { email, password, username: `ada${index}` })
      const { token } = await app.lastMail(email)
      links.push({ token, headers: { cookie: `gatelodge-signup=${told.cookie('gatelodge-signup')}` } })
    }
    const told = await Promise.all(links.map(({ token, headers }) => app.post('/verify-email', { token }, { headers })))
    assert.deepEqual(tally(told.map(({ status, code }) => code ?? status)), { 200: 1, token_invalid: 49 })
    assert.equal((await app.rows('users')).length, 1)
    assert.deepEqual(await app.rows('pending_signups'), [])
    const names = await app.rows('usernames')
    assert.deepEqual(
      names.filter(({ user_id }) => user_id !== null).map(({ username, user_id }) => [username, user_id]),
      (await app.rows('users')).map(({ username, id }) => [username, id]),
    )
    const reserved = names.filter(({ user_id }) => user_id === null).map(({ username }) => String(username))
    assert.ok(reserved.length >= 2)
    for (const name of reserved) assert.ok(['ada0', 'ada1', 'ada2'].includes(name), name)
  })

  test('fifty sign-ups of one address by fifty names at once keep three of them, with an account or without', async () => {
    for (const env of [unlimited, {}]) {
      await using app = await testApp({ engine, env })
      const owner = await app.user()
      for (const [prefix, email] of [
        ['known', owner.email],
        ['ghost', 'ghost@example.com'],
      ] as const) {
        const told = await inParallel(50, (index) =>
          app.post('/signup', { email, password, username: `${prefix}${index}` }, { ip: `203.0.113.${index}` }),
        )
        assert.deepEqual(tally(told.map(({ status }) => status)), { 201: 50 })
        assert.equal(new Set(told.map(({ text }) => text)).size, 1)
        const kept = (await app.rows('usernames')).filter(({ username }) => String(username).startsWith(prefix))
        assert.deepEqual(
          kept.map((row) => row.email),
          [email, email, email],
        )
        // Each browser holds its own name, and no other browser does.
        const asks = told.map((answer, index) => ({
          headers: { cookie: `gatelodge-signup=${answer.cookie('gatelodge-signup')}` },
          ip: `203.0.113.${index}`,
        }))
        for (const { username } of kept) {
          const holders = await Promise.all(asks.map((ask) => app.get(`/username-available?username=${username}`, ask)))
          assert.equal(holders.filter(({ json }) => json.available === true).length, 1)
        }
      }
    }
  })

  test('a browser that signs up fifty times in parallel with the name that it holds keeps it once, for one address', async () => {
    await using app = await testApp({ engine, env: unlimited })
    const first = await app.post('/signup', { email: 'first@example.com', password, username: 'held' })
    const headers = { cookie: `gatelodge-signup=${first.cookie('gatelodge-signup')}` }
    const told = await inParallel(50, (index) =>
      app.post('/signup', { email: `p${index % 5}@example.com`, password, username: 'held' }, { headers }),
    )
    const { 201: signedUp = 0, username_taken: refused = 0 } = tally(told.map(({ status, code }) => code ?? status))
    assert.equal(signedUp + refused, 50)
    const [row, ...others] = await app.rows('usernames')
    assert.deepEqual(others, [])
    const winners = told.filter(({ status }) => status === 201).map((answer) => answer.cookie('gatelodge-signup'))
    const answers = await Promise.all(
      winners.map((cookie) =>
        app.get('/username-available?username=held', { headers: { cookie: `gatelodge-signup=${cookie}` } }),
      ),
    )
    assert.ok(
      answers.some(({ json }) => json.available === true),
      String(row?.email),
    )
    assert.deepEqual((await app.get('/username-available?username=held', { headers })).json, { available: false })
  })

  test('fifty addresses that claim one username at once: one has it', async () => {
    await using app = await testApp({ engine, env: unlimited })
    const told = await inParallel(50, (index) =>
      app.post('/signup', { email: `p${index}@example.com`, password, username: 'ada' }),
    )
    assert.deepEqual(tally(told.map(({ status, code }) => code ?? status)), { 201: 1, username_taken: 49 })
    assert.equal((await app.rows('usernames')).length, 1)
    assert.equal((await app.rows('pending_signups')).length, 1)
    assert.equal((await app.rows('mails')).length, 1)
  })

  test('of ten accounts and ten sign-ups that want one username at the same time, one gets it', async () => {
    await using app = await testApp({ engine, env: unlimited })
    const bearers = []
    for (let index = 0; index < 10; index += 1) bearers.push((await app.tokens(await app.user())).access)
    const told = await Promise.all([
      ...bearers.map((bearer) => app.patch('/me', { username: 'wanted' }, { bearer })),
      ...(await inParallel(10, async (index) =>
        app.post('/signup', { email: `q${index}@example.com`, password, username: 'Wanted' }),
      )),
    ])
    assert.equal(told.filter(({ status }) => status < 300).length, 1)
    assert.equal(told.filter(({ code }) => code === 'username_taken').length, 19)
    assert.equal((await app.rows('usernames')).filter(({ username }) => username === 'wanted').length, 1)
  })

  test('fifty parallel undos by one link have one success', async () => {
    await using app = await testApp({ engine, env: unlimited })
    const ada = await app.user({ email: 'old@example.com' })
    const { access } = await app.tokens(ada)
    await app.post('/change-email', { new_email: 'new@example.com', password: ada.password }, { bearer: access })
    await app.post('/change-email/confirm', { token: (await app.lastMail('new@example.com')).token })
    const { token } = await app.lastMail('old@example.com')
    const told = await inParallel(50, () => app.post('/change-email/undo', { token }))
    assert.deepEqual(tally(told.map(({ status, code }) => code ?? status)), { 200: 1, token_invalid: 49 })
    assert.equal((await app.events()).filter((name) => name === 'email_change.undone').length, 1)
    assert.equal((await app.mails('old@example.com')).filter(({ kind }) => kind === 'email_restored').length, 1)
  })

  test('fifty parallel sign-ups of one address in mode `instant`: one account, the rest email_taken', async () => {
    await using app = await testApp({ engine, env: { ...unlimited, GATELODGE_REGISTRATION: 'instant' } })
    const told = await inParallel(50, (index) =>
      app.post('/signup', { email: 'ada@example.com', password, username: `ada${index}` }),
    )
    assert.deepEqual(tally(told.map(({ status, code }) => code ?? status)), { 201: 1, email_taken: 49 })
    assert.deepEqual(
      [(await app.rows('users')).length, (await app.rows('sessions')).length, (await app.rows('usernames')).length],
      [1, 1, 1],
    )
  })

  test('a burst of a hundred wrong sign-ins gets no further than ten, for a known and an unknown address', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    for (const [network, email] of [ada.email, 'nobody@example.com'].entries()) {
      const told = await inParallel(100, (index) =>
        app.post('/signin', { email, password: `wrong ${index}` }, { ip: `203.0.${network}.${index}` }),
      )
      const counts = tally(told.map(({ code }) => code))
      assert.ok((counts.invalid_credentials ?? 0) <= 10, JSON.stringify(counts))
      assert.equal((counts.invalid_credentials ?? 0) + (counts.rate_limited ?? 0), 100)
    }
  })

  test('a burst of a hundred wrong sign-ins from one address gets no further than its budget', async () => {
    await using app = await testApp({ engine })
    const told = await inParallel(100, (index) =>
      app.post('/signin', { email: `p${index}@example.com`, password: 'wrong harbour' }),
    )
    const counts = tally(told.map(({ code }) => code))
    assert.ok((counts.invalid_credentials ?? 0) <= 30, JSON.stringify(counts))
  })

  test('a burst of wrong passwords in one session gets no further than five', async () => {
    await using app = await testApp({ engine })
    const { access } = await app.tokens(await app.user())
    const told = await inParallel(60, (index) =>
      app.post(
        '/change-password',
        { old_password: `wrong ${index}`, new_password: 'another harbour 53' },
        { bearer: access, ip: `203.0.113.${index}` },
      ),
    )
    const counts = tally(told.map(({ code }) => code))
    assert.ok((counts.incorrect_password ?? 0) <= 5, JSON.stringify(counts))
  })
})
