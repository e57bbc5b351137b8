import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forEachDatabase, testApp } from '../../../test/support/app.ts'

forEachDatabase('profile', (engine) => {
  test('given fields change, the others stay, null clears, and the session check sees it at once', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const cookie = await app.cookie(ada)
    await app.get('/session', { cookie })

    const profile = {
      phone_number: '+49 30 1234567',
      website: 'https://ada.example/x',
      github_link: 'https://github.com/ada',
      birth_date: '1815-12-10',
      locale: 'de-CH',
    }
    const told = await app.patch('/me', { first_name: 'Ada', last_name: 'King', profile }, { cookie })
    assert.equal(told.status, 200)
    assert.deepEqual(told.json.profile, profile)
    assert.equal((await app.get('/session', { cookie })).json.user.fullname, 'Ada King')

    const cleared = await app.patch('/me', { last_name: '', profile: { website: null } }, { cookie })
    assert.deepEqual(cleared.json.profile, { ...profile, website: null })
    assert.deepEqual([cleared.json.first_name, cleared.json.fullname], ['Ada', 'Ada'])
    assert.deepEqual((await app.get('/me', { cookie })).json, cleared.json)
  })

  test('all faults of a change are reported together, and nothing of it is stored', async () => {
    await using app = await testApp({ engine })
    const cookie = await app.cookie(await app.user({ username: 'ada' }))
    const faulty = { first_name: 'Eve', username: 'a', profile: { website: 'gopher', phone_number: '1' } }
    const { json } = await app.patch('/me', faulty, { cookie })
    const fields = json.errors.map(({ field }: { field: string }) => field)
    assert.deepEqual(fields, ['profile.phone_number', 'profile.website', 'username'])
    const { first_name, username } = (await app.get('/me', { cookie })).json
    assert.deepEqual([first_name, username], ['', 'ada'])
  })

  test('a username can be taken, changed and released, and another user’s is rejected', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user({ username: 'ada' })
    await app.user({ username: 'eve' })
    const cookie = await app.cookie(ada)

    assert.equal((await app.patch('/me', { username: 'Eve' }, { cookie })).code, 'username_taken')
    assert.equal((await app.patch('/me', { username: 'Countess' }, { cookie })).json.username, 'countess')
    assert.deepEqual((await app.get('/username-available?username=ada')).json, { available: true })
    assert.equal((await app.patch('/me', { username: 'countess' }, { cookie })).status, 200)
    assert.equal((await app.patch('/me', { username: null }, { cookie })).json.username, null)
    await app.post('/signup', { email: 'new@example.com', password: 'quiet harbour 52', username: 'countess' })
    assert.equal((await app.patch('/me', { username: 'countess' }, { cookie })).code, 'username_taken')
  })

  test('usernames follow the setting', async () => {
    await using off = await testApp({ engine, env: { GATELODGE_USERNAME: 'off' } })
    await off.post('/signup', { email: 'ada@example.com', password: 'quiet harbour 52' })
    const { token } = await off.lastMail('ada@example.com')
    await off.post('/verify-email', { token, password: 'quiet harbour 52' })
    const cookie =
      (await off.post('/signin', { email: 'ada@example.com', password: 'quiet harbour 52', session: 'cookie' })).cookie(
        'gatelodge',
      ) ?? ''
    assert.equal((await off.patch('/me', { username: 'ada' }, { cookie })).json.errors[0].field, 'username')

    await using required = await testApp({ engine, env: { GATELODGE_USERNAME: 'required' } })
    const eve = await required.user()
    assert.equal(
      (await required.patch('/me', { username: null }, { cookie: await required.cookie(eve) })).json.errors[0].code,
      'required',
    )
  })

  test('every bad field is named at once', async () => {
    await using app = await testApp({ engine })
    const cookie = await app.cookie(await app.user())
    const profile = {
      phone_number: '12',
      website: 'javascript:alert(1)',
      github_link: 'github.com/ada',
      birth_date: '2001-02-30',
      locale: 'no_such!',
    }
    const told = await app.patch('/me', { profile }, { cookie })
    assert.equal(told.status, 400)
    assert.deepEqual(told.json.errors.map(({ field }: { field: string }) => field).sort(), [
      'profile.birth_date',
      'profile.github_link',
      'profile.locale',
      'profile.phone_number',
      'profile.website',
    ])
    for (const [field, value] of [
      ['birth_date', '1799-12-31'],
      ['birth_date', '2999-01-01'],
      ['birth_date', 'yesterday'],
      ['website', 'https://user:pass@ada.example'],
      ['website', 'not a link'],
    ] as const) {
      assert.equal(
        (await app.patch('/me', { profile: { [field]: value } }, { cookie })).json.errors?.[0].field,
        `profile.${field}`,
        value,
      )
    }
  })

  test('unknown and privileged fields are refused and change nothing', async () => {
    await using app = await testApp({ engine })
    const cookie = await app.cookie(await app.user())
    for (const field of [
      'is_staff',
      'is_active',
      'roles',
      'email',
      'email_verified',
      'id',
      'password',
      'avatar_url',
      'constructor',
    ]) {
      const told = await app.patch('/me', { [field]: true }, { cookie })
      assert.deepEqual([told.status, told.json.errors[0].field], [400, field])
    }
    const proto = await app.patch('/me', '{"__proto__":{"is_staff":true}}', { cookie })
    assert.deepEqual([proto.status, proto.json.errors[0].field], [400, '__proto__'])
    assert.equal((await app.get('/me', { cookie })).json.is_staff, false)
  })
})
