import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forEachDatabase, testApp } from '../../../test/support/app.ts'
import { type SeenPage, Visitor } from '../../../test/support/visitor.ts'
import { directionOf, type Language, languages } from '../../kernel/languages.ts'
import { pageWords } from '../../pages/words/index.ts'
import { signInWords } from '../sign-in/words/index.ts'

function languageOfPage({ html }: SeenPage): string | undefined {
  return /<html lang="([^"]*)"/.exec(html)?.[1]
}

function choose(visitor: Visitor, page: SeenPage, language: string, next?: string): Promise<SeenPage> {
  const fields = page.form('/language')
  return visitor.post('/language', { ...fields, language, ...(next !== undefined && { next }) })
}

forEachDatabase('language of pages', (engine) => {
  test('the chosen one comes before the profile’s, and that before the browser’s', async () => {
    await using app = await testApp({ engine })
    const person = await app.user()
    const cookie = await app.cookie(person)
    const visitor = new Visitor(app, { 'accept-language': 'es' })
    const asked = { identifier: person.email, password: person.password }
    assert.equal(languageOfPage(await visitor.get('/login')), 'es')
    await visitor.fill('/login', asked)
    await app.patch('/me', { profile: { locale: 'de-CH' } }, { cookie })

    const german = await visitor.get('/forgot-password')
    assert.equal(languageOfPage(german), 'de')
    const arabic = await choose(visitor, german, 'ar')
    assert.deepEqual([arabic.at, languageOfPage(arabic)], ['/forgot-password', 'ar'])
    await app.patch('/me', { profile: { locale: 'ja' } }, { cookie })
    assert.equal(languageOfPage(await visitor.get('/forgot-password')), 'ar')
    assert.equal((await app.get('/me', { cookie })).json.profile.locale, 'ja')
  })

  test('the switcher of every page leads to the same page in every language', async () => {
    await using app = await testApp({ engine })
    for (const path of ['/login', '/forgot-password', '/nowhere']) {
      const visitor = new Visitor(app)
      let page = await visitor.get(path)
      assert.equal(languageOfPage(page), 'en')
      for (const language of languages) {
        page = await choose(visitor, page, language)
        assert.equal(page.at, path)
        assert.ok(page.html.includes(`<html lang="${language}" dir="${directionOf(language)}">`))
        assert.ok(page.html.includes(`aria-label="${pageWords[language].layout.language}"`))
      }
    }
  })

  test('pages of a stranger follow the browser, and speak English to those whose language we do not', async () => {
    await using app = await testApp({ engine })
    const seen: Readonly<Record<string, Language>> = {
      'fr-CA, en;q=0.9': 'fr',
      'ar;q=0.2': 'ar',
      'ja, zh': 'en',
      '': 'en',
    }
    for (const [header, language] of Object.entries(seen)) {
      const page = await new Visitor(app, { 'accept-language': header }).get('/login')
      assert.equal(languageOfPage(page), language)
      assert.ok(page.text.includes(signInWords[language].pages.forgot))
    }
  })

  test('the switcher takes our languages and our pages only, and only from our own forms', async () => {
    await using app = await testApp({ engine })
    const visitor = new Visitor(app)
    const page = await visitor.get('/login')
    for (const language of ['', 'ja', 'EN', '__proto__', '"><script>', 'en\r\nset-cookie: x=y']) {
      const refused = await choose(visitor, page, language)
      assert.ok(refused.status >= 400 && refused.status < 500, language)
      assert.equal(visitor.cookie('gatelodge-language'), undefined)
      assert.doesNotMatch(refused.html, /<script>/)
    }
    const stranger = (await new Visitor(app).get('/login')).form('/language').form_token ?? ''
    const forged = await visitor.post('/language', { language: 'fr', form_token: stranger })
    assert.deepEqual([forged.status, visitor.cookie('gatelodge-language')], [403, undefined])

    for (const next of ['https://evil.test/', '//evil.test', '/\\evil.test', 'javascript:alert(1)', '']) {
      assert.equal((await choose(visitor, page, 'fr', next)).at, '/login', next)
    }
    assert.equal(visitor.cookie('gatelodge-language'), 'fr')
  })

  test('a language cookie with an unknown language is ignored', async () => {
    await using app = await testApp({ engine })
    for (const value of ['xx', '__proto__', '%22%3E%3Cb%3E', '']) {
      const headers = { cookie: `gatelodge-language=${value}`, 'accept-language': 'es' }
      assert.equal(languageOfPage(await new Visitor(app, headers).get('/login')), 'es', value)
    }
  })

  test('password managers are led to the page where a password is changed, by way of the sign-in', async () => {
    await using app = await testApp({ engine })
    const person = await app.user()
    const visitor = new Visitor(app)
    const page = await visitor.get('/.well-known/change-password')
    assert.equal(page.form('/login').next, '/account/password')
    const asked = { identifier: person.email, password: person.password }
    assert.equal((await visitor.send(page, asked, '/login')).at, '/account/password')
  })
})
