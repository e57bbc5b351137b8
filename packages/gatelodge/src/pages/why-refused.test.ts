import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forEachDatabase, testApp } from '../../test/support/app.ts'
import { Visitor } from '../../test/support/visitor.ts'
import { languages } from '../kernel/languages.ts'
import { pageWords } from './words/index.ts'

forEachDatabase('why a form was refused', (engine) => {
  test('a form of an old page, of a browser without cookies, or of another site says so, and keeps what was typed', async () => {
    await using app = await testApp({ engine })
    for (const language of languages) {
      const words = pageWords[language].problems.cross_site
      const visitor = new Visitor(app, { 'accept-language': language })
      const fields = { email: 'ada@example.org', form_token: 'old' }
      const bare = await visitor.post('/forgot-password', fields)
      assert.deepEqual([bare.status, bare.text.includes(words.noCookies)], [403, true], language)
      assert.equal(bare.form('/forgot-password').email, fields.email)

      await visitor.get('/forgot-password')
      const old = await visitor.post('/forgot-password', fields)
      assert.deepEqual([old.status, old.text.includes(words.outdated)], [403, true], language)
      assert.equal(old.form('/forgot-password').email, fields.email)

      const foreign = await visitor.post('/forgot-password', fields, { origin: 'https://evil.test' })
      assert.deepEqual([foreign.status, foreign.text.includes(words.foreign)], [403, true], language)
    }
  })

  test('a form that was opened before a sign-in, or by another account, says who is signed in now', async () => {
    await using app = await testApp({ engine, env: { GATELODGE_RATE_LIMITS: 'off' } })
    const ended = await new Visitor(app).signIn(await app.user())
    const old = await ended.get('/account')
    await app.post('/signout', {}, { cookie: ended.cookie('gatelodge') ?? '' })
    const refused = await ended.post('/language', old.form('/language'))
    assert.equal(refused.text.includes(pageWords.en.problems.cross_site.outdated), true, 'a cookie was sent')

    const [ada, eve] = [await app.user(), await app.user()]
    for (const language of languages) {
      const words = pageWords[language].problems.cross_site
      const browser = new Visitor(app, { 'accept-language': language })
      const stale = await browser.get('/login')
      await browser.signIn(ada)
      const second = await browser.send(stale, { identifier: eve.email, password: eve.password }, '/login')
      assert.deepEqual([second.status, second.text.includes(words.otherSession(ada.email))], [403, true], language)
      assert.equal((await browser.get('/account')).status, 200)

      // Submitted again from the page with that message, it signs in.
      const asEve = await browser.send(second, { password: eve.password }, '/login')
      assert.equal(asEve.at, '/account')
      const adas = await new Visitor(app).signIn(ada)
      for (const action of ['/account', '/logout']) {
        const told = await browser.post(action, (await adas.get(action)).form(action))
        assert.deepEqual([told.status, told.text.includes(words.otherSession(eve.email))], [403, true], action)
      }
    }
  })
})
