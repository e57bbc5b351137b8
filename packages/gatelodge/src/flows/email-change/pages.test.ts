import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forEachDatabase, type Person, type TestApp, testApp } from '../../../test/support/app.ts'
import { Visitor } from '../../../test/support/visitor.ts'
import { languages } from '../../kernel/languages.ts'
import { emailChangeWords } from './words/index.ts'

const words = emailChangeWords.en.pages
const garbage = `${'A'.repeat(22)}.${'B'.repeat(43)}`

/** Requests a change of address in the visitor's session. Returns the token of the emailed link. */
async function askFor(app: TestApp, visitor: Visitor, person: Person, email: string): Promise<string> {
  const cookie = visitor.cookie('gatelodge') ?? ''
  await app.post('/change-email', { new_email: email, password: person.password }, { cookie })
  return (await app.lastMail(email)).token
}

async function signedIn(app: TestApp, person: Person): Promise<Visitor> {
  const visitor = new Visitor(app)
  await visitor.fill('/login', { identifier: person.email, password: person.password })
  return visitor
}

forEachDatabase('pages of an address change', (engine) => {
  test('the button changes the address, once, and the confirming browser stays signed in', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user({ email: 'old@example.com' })
    const visitor = await signedIn(app, ada)
    const token = await askFor(app, visitor, ada, 'new@example.com')

    const page = await visitor.get(`/change-email?token=${token}`)
    assert.equal(page.at, '/change-email')
    assert.equal((await app.rows('users'))[0]?.email, 'old@example.com')
    assert.equal((await visitor.send(page, {}, '/change-email')).at, '/account')
    assert.equal(
      (await app.get('/session', { cookie: visitor.cookie('gatelodge') ?? '' })).json.user.email,
      'new@example.com',
    )
    const again = await visitor.send(page, {}, '/change-email')
    assert.equal(again.status, 400)
    assert.ok(again.text.includes(words.confirm.expired))
    assert.equal((await visitor.get(`/change-email?token=${token}`)).status, 400)
  })

  test('another browser may confirm, and is led to the sign-in', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const token = await askFor(app, await signedIn(app, ada), ada, 'new@example.com')
    const page = await new Visitor(app).fill(`/change-email?token=${token}`, {})
    assert.equal(page.at, '/login')
    assert.ok(page.text.includes(words.confirm.done))
  })

  test('the undo restores the address and signs everyone out, the browser that asks included', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user({ email: 'old@example.com' })
    const visitor = await signedIn(app, ada)
    await visitor.fill(`/change-email?token=${await askFor(app, visitor, ada, 'new@example.com')}`, {})
    const { token } = await app.lastMail('old@example.com')

    const page = await visitor.get(`/change-email/undo?token=${token}`)
    assert.equal((await app.rows('users'))[0]?.email, 'new@example.com')
    const done = await visitor.send(page, {}, '/change-email/undo')
    assert.equal(done.at, '/login')
    assert.ok(done.text.includes(words.undo.done))
    assert.equal((await app.rows('users'))[0]?.email, 'old@example.com')
    assert.deepEqual(await app.rows('sessions'), [])
    const spent = await new Visitor(app).get(`/change-email/undo?token=${token}`)
    assert.equal(spent.status, 400)
    assert.ok(spent.text.includes(words.undo.expired))
  })

  test('a link that is missing, unknown or another’s kind says so in every language, with a way on', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    await app.post('/forgot-password', { email: ada.email })
    const { token } = await app.lastMail(ada.email)
    for (const language of languages) {
      const { confirm, undo } = emailChangeWords[language].pages
      for (const query of ['', '?token=', `?token=${garbage}`, `?token=${token}`, `?token=${'x'.repeat(300)}`]) {
        for (const [path, { expired }] of [
          ['/change-email', confirm],
          ['/change-email/undo', undo],
        ] as const) {
          const page = await new Visitor(app, { 'accept-language': language }).get(path + query)
          assert.equal(page.status, 400)
          assert.ok(page.text.includes(expired), `${language} ${path}${query}`)
        }
      }
    }
  })
})
