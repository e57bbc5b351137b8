import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forEachDatabase, type TestApp, testApp } from '../../../test/support/app.ts'
import { Visitor } from '../../../test/support/visitor.ts'
import { languages } from '../../kernel/languages.ts'
import { pageWords } from '../../pages/words/index.ts'
import { emailVerificationWords } from './words/index.ts'

const ada = { email: 'ada@example.com', username: 'ada', password: 'quiet harbour 52' }
const words = emailVerificationWords.en.pages

/** Signs up on the page. Returns the path of the emailed link. */
async function signUp(app: TestApp, visitor: Visitor, person = ada): Promise<string> {
  await visitor.fill('/register', { ...person, password_confirmation: person.password })
  const mails = (await app.mails(person.email)).filter(({ kind }) => kind !== 'welcome')
  const link = new URL(/https?:\/\/\S+/.exec(mails.at(-1)?.text ?? '')?.[0] ?? '')
  return link.pathname + link.search
}

forEachDatabase('pages that confirm an address', (engine) => {
  test('the browser that signed up needs the button only, once, and is led to the sign-in', async () => {
    await using app = await testApp({ engine })
    const visitor = new Visitor(app)
    const link = await signUp(app, visitor)

    const page = await visitor.get(link)
    assert.equal(page.at, '/verify-email')
    assert.ok(!('password' in page.form('/verify-email')))
    assert.deepEqual(await app.rows('users'), [])
    const done = await visitor.send(page, {}, '/verify-email')
    assert.equal(done.at, '/login')
    assert.ok(done.text.includes(words.confirm.done))
    assert.deepEqual([visitor.cookie('gatelodge-link'), visitor.cookie('gatelodge-signup')], [undefined, undefined])
    assert.equal((await visitor.fill('/login', { identifier: 'ada', password: ada.password })).at, '/account')

    const again = await new Visitor(app).get(link)
    assert.equal(again.status, 400)
    assert.ok(again.text.includes(words.confirm.expired))
  })

  test('another browser is asked for the chosen password, and a wrong or missing one leaves the link good', async () => {
    await using app = await testApp({ engine })
    const link = await signUp(app, new Visitor(app))
    const other = new Visitor(app, { 'accept-language': 'fr' })

    const page = await other.get(link)
    assert.equal(page.form('/verify-email').password, '')
    assert.ok(page.text.includes(emailVerificationWords.fr.pages.confirm.protect))
    const missing = await other.send(page, {}, '/verify-email')
    assert.equal(missing.status, 400)
    assert.ok(missing.html.includes(`id="field-password-fault">${pageWords.fr.faults.required}<`))
    const wrong = await other.send(missing, { password: 'wrong harbour 52' }, '/verify-email')
    assert.equal(wrong.status, 400)
    assert.match(wrong.html, /id="field-password-fault"/)
    assert.ok(!wrong.html.includes('wrong harbour'))
    const done = await other.send(wrong, { password: ada.password }, '/verify-email')
    assert.ok(done.text.includes(emailVerificationWords.fr.pages.confirm.done))
  })

  test('an `instant` account is confirmed from its session without the password', async () => {
    await using app = await testApp({ engine, env: { GATELODGE_REGISTRATION: 'instant' } })
    const link = await signUp(app, new Visitor(app))
    const stranger = await new Visitor(app).get(link)
    assert.ok('password' in stranger.form('/verify-email'))

    const elsewhere = new Visitor(app)
    await elsewhere.fill('/login', { identifier: ada.email, password: ada.password })
    const page = await elsewhere.get(link)
    assert.ok(!('password' in page.form('/verify-email')))
    assert.equal((await elsewhere.send(page, {}, '/verify-email')).at, '/account')
    assert.ok((await app.rows('users'))[0]?.email_verified_at)
  })

  test('a resend leads back to the inbox, and its link replaces one that this browser had opened', async () => {
    await using app = await testApp({ engine })
    const visitor = new Visitor(app)
    const first = await signUp(app, visitor)
    assert.ok('token' in (await visitor.get(first)).form('/verify-email'))

    const page = await visitor.fill('/verify-email/resend', { email: ada.email })
    assert.equal(page.at, '/verify-email')
    assert.ok(page.text.includes(words.resend.sent))
    assert.ok(page.text.includes(words.sent.text))
    const { token } = await app.lastMail(ada.email)
    assert.equal((await visitor.get(first)).status, 400)
    const done = await visitor.fill(`/verify-email?token=${token}`, {})
    assert.equal(done.at, '/login')
  })

  test('an expired link says so, in every language, with the way to a new one', async () => {
    await using app = await testApp({ engine })
    const link = await signUp(app, new Visitor(app))
    app.clock.advance(24 * 3_600_000)
    for (const language of languages) {
      const page = await new Visitor(app, { 'accept-language': language }).get(link)
      assert.equal(page.status, 400)
      assert.ok(page.text.includes(emailVerificationWords[language].pages.confirm.expired))
      assert.match(page.html, /href="\/verify-email\/resend"/)
    }
  })

  test('without a link the page says where to find it, in every language', async () => {
    await using app = await testApp({ engine })
    for (const language of languages) {
      const page = await new Visitor(app, { 'accept-language': language }).get('/verify-email')
      assert.equal(page.status, 200)
      assert.ok(page.text.includes(emailVerificationWords[language].pages.sent.text))
    }
    const tooLong = await new Visitor(app).get(`/verify-email?token=${'x'.repeat(300)}`)
    assert.ok(tooLong.text.includes(words.sent.text))
  })

  test('a form without a password field gets one when the browser no longer knows that it signed up', async () => {
    await using app = await testApp({ engine })
    const link = await signUp(app, new Visitor(app))
    const other = new Visitor(app)
    const page = await other.get(link)
    const { password: _, ...fields } = page.form('/verify-email')
    const asked = await other.post('/verify-email', fields)
    assert.equal(asked.status, 400)
    const done = await other.send(asked, { password: ada.password }, '/verify-email')
    assert.equal(done.at, '/login')
  })

  test('guesses at the chosen password are slowed down, and the page says for how long', async () => {
    await using app = await testApp({ engine })
    const link = await signUp(app, new Visitor(app))
    const other = new Visitor(app)
    let page = await other.get(link)
    while (page.status !== 429) page = await other.fill('/verify-email', { password: 'wrong harbour 52' })
    assert.ok(Number(page.headers.get('retry-after')) > 0)
    assert.ok(page.text.includes(pageWords.en.problems.rate_limited.title))
    assert.equal((await other.get('/verify-email')).form('/verify-email').password, '')
  })

  test('a faulty address is told on the field; `explicit` also tells one with nothing to confirm', async () => {
    await using app = await testApp({ engine, env: { GATELODGE_ENUMERATION: 'explicit' } })
    const faulty = await new Visitor(app).fill('/verify-email/resend', { email: 'not an address' })
    assert.ok(faulty.html.includes(`id="field-email-fault">${pageWords.en.faults.email_invalid}<`))
    const unknown = await new Visitor(app).fill('/verify-email/resend', { email: 'unknown@example.com' })
    assert.equal(unknown.status, 404)
    assert.ok(unknown.html.includes(`id="field-email-fault">${words.resend.nothingWaits}<`))
  })
})
