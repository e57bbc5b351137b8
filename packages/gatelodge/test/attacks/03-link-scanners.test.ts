import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forEachDatabase, testApp } from '../support/app.ts'
import { stored } from '../support/attack.ts'

forEachDatabase('03 link scanners', (engine) => {
  test('no way of fetching a link spends it, changes a row or makes a session', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const { access } = await app.tokens(ada)
    await app.post('/change-email', { new_email: 'new@example.com', password: ada.password }, { bearer: access })
    const change = await app.lastMail('new@example.com')
    await app.post('/forgot-password', { email: ada.email })
    const reset = await app.lastMail(ada.email)
    await app.post('/signup', { email: 'eve@example.com', password: 'quiet harbour 52' })
    const verify = await app.lastMail('eve@example.com')

    const before = await stored(app)
    const links = [
      `/verify-email?token=${verify.token}`,
      `/reset-password?token=${reset.token}`,
      `/change-email/confirm?token=${change.token}`,
      `/change-email?token=${change.token}`,
    ]
    for (const link of links) {
      for (const method of ['GET', 'HEAD', 'OPTIONS', 'GET', 'HEAD', 'GET']) {
        const told = await app.ask(method, link)
        assert.ok(
          told.status === 303 || told.status === 204 || told.status === 405,
          `${method} ${link}: ${told.status}`,
        )
        assert.deepEqual(told.setCookies, [])
      }
      // A scanner that clicks the button as well, without what only the page sends.
      for (const type of ['application/x-www-form-urlencoded', 'text/plain', 'multipart/form-data; boundary=x']) {
        const told = await app.ask('POST', link, 'token=x', { headers: { 'content-type': type } })
        assert.ok(
          [405, 415].includes(told.status) || told.code === 'not_authenticated',
          `${type} ${link}: ${told.status}`,
        )
      }
    }
    assert.deepEqual(await stored(app), before)

    assert.equal((await app.post('/verify-email', { token: verify.token, password: 'quiet harbour 52' })).status, 200)
    assert.equal((await app.post('/change-email/confirm', { token: change.token })).status, 200)
    const undo = await app.lastMail(ada.email)
    for (const method of ['GET', 'HEAD', 'GET']) await app.ask(method, `/change-email/undo?token=${undo.token}`)
    assert.equal((await app.post('/change-email/undo', { token: undo.token })).status, 200)
    const again = await app.lastMail(ada.email)
    for (const method of ['GET', 'HEAD', 'GET']) await app.ask(method, `/reset-password?token=${again.token}`)
    assert.equal(
      (await app.post('/reset-password', { token: again.token, new_password: 'another harbour 53' })).status,
      200,
    )
  })
})
