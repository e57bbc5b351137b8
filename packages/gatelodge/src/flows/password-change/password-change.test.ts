import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forEachDatabase, testApp } from '../../../test/support/app.ts'

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

  test('the policy holds, and nobody is asked who is not signed in', async () => {
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
})
