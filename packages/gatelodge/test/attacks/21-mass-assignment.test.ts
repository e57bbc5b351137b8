import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forEachDatabase, testApp } from '../support/app.ts'

const privileged = {
  id: '00000000-0000-7000-8000-000000000000',
  user_id: '00000000-0000-7000-8000-000000000000',
  email_verified: true,
  email_verified_at: 0,
  is_staff: true,
  is_active: true,
  isStaff: true,
  role: 'administrator',
  roles: ['administrator'],
  permissions: ['*'],
  tenant: 'other',
  password_hash: '$argon2id$',
  mfa_enabled: false,
  created_at: '2000-01-01T00:00:00.000Z',
  avatar_url: 'https://evil.test/a.png',
  registration: 'instant',
  assurance: 'aal2',
  constructor: { prototype: { is_staff: true } },
  prototype: { is_staff: true },
}

forEachDatabase('21 mass assignment', (engine) => {
  test('a sign-up with unknown fields is rejected, and they change nothing', async () => {
    await using app = await testApp({ engine })
    const base = { email: 'ada@example.com', password: 'quiet harbour 52' }
    const told = await app.post('/signup', { ...base, ...privileged })
    assert.equal(told.code, 'input_invalid')
    const named = told.json.errors.map(({ field, code }: { field: string; code: string }) => `${field} ${code}`)
    assert.deepEqual(
      named.sort(),
      Object.keys(privileged)
        .map((name) => `${name} unknown`)
        .sort(),
    )

    const proto = `{"email":"ada@example.com","password":"quiet harbour 52","__proto__":{"is_staff":true}}`
    assert.equal((await app.post('/signup', proto)).json.errors[0].field, '__proto__')
    const escaped = proto.replace('__proto__', '\\u005f_proto__')
    assert.equal((await app.post('/signup', escaped)).json.errors[0].field, '__proto__')
    assert.deepEqual(await app.rows('pending_signups'), [])
    assert.equal(Reflect.get({}, 'is_staff'), undefined)
  })

  test('the same fields in query, cookie and headers are not looked at', async () => {
    await using app = await testApp({ engine, env: { GATELODGE_REGISTRATION: 'instant' } })
    const headers = {
      'x-user-id': 'x',
      'x-roles': 'administrator',
      'x-is-staff': 'true',
      cookie: 'is_staff=true; roles=administrator',
    }
    const told = await app.post(
      '/signup?is_staff=true&roles=administrator&email_verified=true',
      { email: 'ada@example.com', password: 'quiet harbour 52' },
      { headers },
    )
    assert.deepEqual(
      [told.status, told.json.user.is_staff, told.json.user.roles, told.json.user.email_verified],
      [201, false, [], false],
    )
    const [user] = await app.rows('users')
    assert.deepEqual([user?.is_staff, user?.email_verified_at], [0, null])
  })

  test('a profile takes nothing but its own fields, nested ones too', async () => {
    await using app = await testApp({ engine })
    const { access } = await app.tokens(await app.user())
    const before = [await app.rows('users'), await app.rows('profiles'), await app.rows('user_roles')]
    for (const body of [
      privileged,
      { profile: privileged },
      { profile: { user_id: 'x' } },
      { email: 'evil@example.com' },
      { password: 'planted harbour 9' },
    ]) {
      const told = await app.patch('/me', body, { bearer: access })
      assert.deepEqual([told.status, told.json.errors[0].code], [400, 'unknown'], JSON.stringify(body))
    }
    assert.deepEqual([await app.rows('users'), await app.rows('profiles'), await app.rows('user_roles')], before)
  })
})
