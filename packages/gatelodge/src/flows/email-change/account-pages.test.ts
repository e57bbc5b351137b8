import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forEachDatabase, testApp } from '../../../test/support/app.ts'
import { Visitor } from '../../../test/support/visitor.ts'
import { emailChangeWords } from './words/index.ts'

const words = emailChangeWords.en.pages.account
const path = '/account/email'

forEachDatabase('page of another address', (engine) => {
  test('the form on the account page mails a link to the new address, and says the same for one that has an account', async () => {
    await using app = await testApp({ engine })
    const [person, other] = [await app.user(), await app.user()]
    const visitor = await new Visitor(app).signIn(person)
    const pages = []
    for (const new_email of ['new@example.com', other.email]) {
      const done = await visitor.send(await visitor.get('/account'), { new_email, password: person.password }, path)
      assert.equal(done.at, '/account')
      assert.ok(done.text.includes(words.requested))
      pages.push(done.html)
    }
    assert.equal(pages[0], pages[1])
    assert.match((await app.lastMail('new@example.com')).link, /\/change-email\?token=/)
    assert.ok((await visitor.get('/account')).text.includes(person.email))
  })

  test('a failure shows this form alone, keeps the address that was typed, and mails nothing', async () => {
    await using app = await testApp({ engine })
    const person = await app.user()
    const visitor = await new Visitor(app).signIn(person)
    const mails = (await app.rows('mails')).length
    for (const [new_email, password, status, field] of [
      ['new@example.com', 'wrong harbour', 400, 'password'],
      ['"><b>@example.com', person.password, 400, 'new_email'],
      [person.email, person.password, 400, 'new_email'],
    ] as const) {
      const page = await visitor.fill(path, { new_email, password })
      assert.deepEqual([page.status, page.at], [status, path])
      assert.match(page.html, new RegExp(`id="field-${field}-fault"`))
      assert.equal(page.form(path).new_email, new_email)
      assert.doesNotMatch(page.html, /<b>|harbour/)
    }
    assert.equal((await app.rows('mails')).length, mails)
  })

  test('an address that is not confirmed yet is called so, with the way to another link', async () => {
    await using app = await testApp({ engine, env: { GATELODGE_REGISTRATION: 'instant' } })
    const person = { email: 'ada@example.com', password: 'quiet harbour 52' }
    await app.post('/signup', person)
    const page = await (await new Visitor(app).signIn(person)).get('/account')
    assert.ok(page.text.includes(words.unconfirmed))
    assert.match(page.html, /href="\/verify-email\/resend"/)
  })
})
