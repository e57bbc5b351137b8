import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forEachDatabase, testApp } from '../../../test/support/app.ts'
import { Visitor } from '../../../test/support/visitor.ts'
import { languages } from '../../kernel/languages.ts'
import { pageWords } from '../../pages/words/index.ts'
import { passwordResetWords } from './words/index.ts'

const fresh = 'another harbour 53'
const chosen = { new_password: fresh, password_confirmation: fresh }

forEachDatabase('pages of forgotten passwords', (engine) => {
  test('a link asked for on a page leads to a new password, in the language of the browser', async () => {
    await using app = await testApp({ engine })
    const person = await app.user()
    const visitor = new Visitor(app, { 'accept-language': 'fr' })
    const asked = await visitor.fill('/forgot-password', { email: person.email })
    assert.equal(asked.at, '/login')
    assert.ok(asked.text.includes(passwordResetWords.fr.pages.forgot.sent))

    const { token, html } = await app.lastMail(person.email)
    assert.match(html, /<html lang="fr"/)
    const form = await visitor.get(`/reset-password?token=${token}`)
    assert.equal(form.at, '/reset-password')
    const done = await visitor.send(form, chosen, '/reset-password')
    assert.ok(done.text.includes(passwordResetWords.fr.pages.reset.done))
    assert.equal((await app.post('/signin', { email: person.email, password: fresh })).status, 200)

    const spent = await visitor.get(`/reset-password?token=${token}`)
    const again = await visitor.send(spent, chosen, '/reset-password')
    assert.equal(again.status, 400)
    assert.ok(again.text.includes(passwordResetWords.fr.pages.reset.expiredTitle))
  })

  test('known and unknown addresses see the same page', async () => {
    await using app = await testApp({ engine })
    const person = await app.user()
    const [known, unknown] = await Promise.all(
      [person.email, 'nobody@example.com'].map((email) => new Visitor(app).fill('/forgot-password', { email })),
    )
    assert.deepEqual([known?.at, known?.status, known?.text], [unknown?.at, unknown?.status, unknown?.text])
  })

  test('without a link there is no form for a password, and a faulty address is told', async () => {
    await using app = await testApp({ engine })
    assert.equal((await new Visitor(app).get('/reset-password')).at, '/forgot-password')
    const refused = await new Visitor(app).fill('/forgot-password', { email: 'not an address' })
    assert.equal(refused.status, 400)
    assert.ok(refused.text.includes(pageWords.en.faults.email_invalid))
  })

  test('faults of a new password are told in every language, and what was typed is not printed', async () => {
    await using app = await testApp({ engine })
    const person = await app.user()
    await app.post('/forgot-password', { email: person.email })
    const { token } = await app.lastMail(person.email)
    const given = {
      mismatch: { new_password: fresh, password_confirmation: 'third harbour 54' },
      too_short: { new_password: 'q7!', password_confirmation: 'q7!' },
      too_common: { new_password: 'password1234', password_confirmation: 'password1234' },
      contains_identity: { new_password: person.email, password_confirmation: person.email },
      required: { new_password: '', password_confirmation: '' },
    } as const
    for (const language of languages) {
      const visitor = new Visitor(app, { 'accept-language': language })
      for (const [code, values] of Object.entries(given) as [keyof typeof given, (typeof given)['required']][]) {
        const told = await visitor.send(await visitor.get(`/reset-password?token=${token}`), values, '/reset-password')
        const { faults, form } = pageWords[language]
        assert.equal(told.status, 400)
        assert.ok(told.text.includes(form.summary))
        assert.ok(told.text.includes(faults[code]), `${language} ${code}`)
        if (code !== 'required') assert.ok(!told.html.includes(values.new_password))
      }
    }
  })
})
