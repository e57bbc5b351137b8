import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forEachDatabase, testApp } from '../../../test/support/app.ts'
import { Visitor } from '../../../test/support/visitor.ts'
import { recoveryWords } from './words/index.ts'

const words = recoveryWords.en.pages.undo

forEachDatabase('page of a security notice', (engine) => {
  test('a look at the link changes nothing; its button locks the account once, and leads to the sign-in', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const { access } = await app.tokens(ada)
    const passwords = { old_password: ada.password, new_password: 'thieves harbour 9' }
    await app.post('/change-password', passwords, { bearer: access })
    const { token } = await app.lastMail(ada.email)

    const visitor = new Visitor(app)
    const page = await visitor.get(`/security/undo?token=${token}`)
    assert.equal(page.at, '/security/undo')
    assert.equal((await app.get('/session', { bearer: access })).status, 200)

    const done = await visitor.send(page, {}, '/security/undo')
    assert.equal(done.at, '/login')
    assert.ok(done.text.includes(words.done))
    assert.equal((await app.get('/session', { bearer: access })).status, 401)

    const again = await visitor.send(page, {}, '/security/undo')
    assert.equal(again.status, 400)
    assert.ok(again.text.includes(words.expired))
    assert.equal((await visitor.get(`/security/undo?token=${token}`)).status, 400)
  })
})
