import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forEachDatabase, testApp } from '../support/app.ts'

const stem = 'a quiet harbour far away from every storm of the open sea, and no ship in sight'

forEachDatabase('16 hash truncation', (engine) => {
  test('long passwords that differ only in their last character are different passwords', async () => {
    await using app = await testApp({ engine, env: { GATELODGE_RATE_LIMITS: 'off' } })
    for (const length of [72, 73, 80, 128, 256, 1_024]) {
      const password = stem.repeat(13).slice(0, length - 1)
      const ada = await app.user({ password: `${password}1` })
      assert.equal(
        (await app.post('/signin', { email: ada.email, password: `${password}2` })).code,
        'invalid_credentials',
      )
      assert.equal((await app.post('/signin', { email: ada.email, password })).code, 'invalid_credentials')
      assert.equal(
        (await app.post('/signin', { email: ada.email, password: `${password}1 ` })).code,
        'invalid_credentials',
      )
      assert.equal((await app.post('/signin', { email: ada.email, password: `${password}1` })).status, 200, `${length}`)
    }
  })

  test('NUL, other control characters and lone surrogates are rejected wherever a password is set', async () => {
    await using app = await testApp({ engine, env: { GATELODGE_RATE_LIMITS: 'off' } })
    const ada = await app.user()
    const { access } = await app.tokens(ada)
    await app.post('/forgot-password', { email: ada.email })
    const { token } = await app.lastMail(ada.email)

    for (const bad of [
      'quiet\0harbour 52',
      'quiet harbour 52\0',
      'quiet harbour\n52',
      'quiet \ud83d harbour 52',
      '\udc00quiet harbour',
    ]) {
      const told = [
        await app.post('/signup', { email: 'eve@example.com', password: bad }),
        await app.post('/reset-password', { token, new_password: bad }),
        await app.post('/change-password', { old_password: ada.password, new_password: bad }, { bearer: access }),
      ]
      assert.deepEqual(
        told.map(({ json }) => [json.status, json.errors?.[0]?.field, json.errors?.[0]?.code]),
        [
          [400, 'password', 'characters'],
          [400, 'new_password', 'characters'],
          [400, 'new_password', 'characters'],
        ],
        JSON.stringify(bad),
      )
    }
    assert.equal((await app.post('/signin', { email: ada.email, password: ada.password })).status, 200)
  })

  test('a password is not its own beginning before a NUL, and half a character is not its replacement', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user({ password: 'quiet \ufffd harbour' })
    for (const password of ['quiet \ufffd harbour\0', 'quiet \ufffd harbour\0x', 'quiet \ud83d harbour']) {
      const told = await app.post('/signin', { email: ada.email, password })
      assert.deepEqual(
        [told.code, told.json.errors?.[0]?.field],
        ['input_invalid', 'password'],
        JSON.stringify(password),
      )
    }
    assert.equal((await app.post('/signin', { email: ada.email, password: 'quiet \ufffd harbour' })).status, 200)
  })
})
