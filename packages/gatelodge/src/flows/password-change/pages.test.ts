import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forEachDatabase, testApp } from '../../../test/support/app.ts'
import { Visitor } from '../../../test/support/visitor.ts'
import { passwordChangeWords } from './words/index.ts'

const fresh = 'another harbour 53'
const path = '/account/password'

forEachDatabase('page of a new password', (engine) => {
  test('the form on the account page changes the password, keeps this session and ends the others', async () => {
    await using app = await testApp({ engine })
    const person = await app.user()
    const other = await app.cookie(person)
    const visitor = await new Visitor(app).signIn(person)
    const filled = { old_password: person.password, new_password: fresh, password_confirmation: fresh }
    const done = await visitor.send(await visitor.get('/account'), filled, path)
    assert.equal(done.at, '/account')
    assert.ok(done.text.includes(passwordChangeWords.en.pages.changed))
    assert.equal((await app.post('/signin', { email: person.email, password: fresh })).status, 200)
    assert.equal((await app.get('/session', { cookie: other })).code, 'token_invalid')
  })

  test('a failure shows this form alone, with the fault at its field and no password in the page', async () => {
    await using app = await testApp({ engine })
    const person = await app.user()
    const visitor = await new Visitor(app).signIn(person)
    for (const [filled, status, field] of [
      [{ old_password: 'wrong harbour', new_password: fresh, password_confirmation: fresh }, 400, 'old_password'],
      [
        { old_password: person.password, new_password: fresh, password_confirmation: 'x harbour 54' },
        400,
        'password_confirmation',
      ],
      [
        { old_password: person.password, new_password: 'password', password_confirmation: 'password' },
        400,
        'new_password',
      ],
    ] as const) {
      const page = await visitor.fill(path, filled)
      assert.deepEqual([page.status, page.at], [status, path])
      assert.match(page.html, new RegExp(`id="field-${field}-fault"`))
      assert.doesNotMatch(page.html, /action="\/account"|harbour/)
    }
    assert.equal((await app.post('/signin', { email: person.email, password: person.password })).status, 200)
  })
})
