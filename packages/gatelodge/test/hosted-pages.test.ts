import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { languages } from '../src/kernel/languages.ts'
import { pages } from '../src/routes.ts'
import { forEachDatabase, type TestApp, testApp } from './support/app.ts'
import { type SeenPage, Visitor } from './support/visitor.ts'

// Properties that all hosted pages share; docs/evidence names these tests row by row.

const shown = pages.filter(({ method, path }) => method === 'GET' && !path.includes(':')).map(({ path }) => path)

forEachDatabase('hosted pages', (engine) => {
  test('every page of the systems before has its counterpart among the hosted pages, and takes its form', async () => {
    const declared = pages.map(({ method, path }) => `${method} ${path}`)
    for (const path of [
      '/login',
      '/register',
      '/forgot-password',
      '/reset-password',
      '/verify-email',
      '/verify-email/resend',
      '/change-email',
      '/account',
      '/logout',
    ]) {
      for (const method of ['GET', 'POST']) assert.ok(declared.includes(`${method} ${path}`), `${method} ${path}`)
    }
    for (const line of ['GET /', 'POST /account/password', 'POST /account/email', 'POST /account/avatar']) {
      assert.ok(declared.includes(line), line)
    }

    await using app = await testApp({ engine })
    const stranger = new Visitor(app)
    for (const path of shown) assert.equal((await stranger.get(path)).status, statusOf(path), path)
    assert.equal((await stranger.get('/')).at, '/login')
  })

  test('passwords are masked on every page, named for password managers, and nothing keeps anybody from pasting', async () => {
    await using app = await testApp({ engine, env: { GATELODGE_RATE_LIMITS: 'off' } })
    const seen = await everyPage(app)
    const fields = seen.flatMap(({ html }) => html.match(/<input\b[^>]*password[^>]*>/g) ?? [])
    assert.ok(fields.length >= 10)
    for (const field of fields.filter((each) => !/type="(?:hidden|submit)"/.test(each))) {
      assert.match(field, / type="password" /)
      assert.match(field, / autocomplete="(?:current|new)-password"/)
      assert.doesNotMatch(field, / value="/)
    }
    for (const { html, at } of seen)
      assert.doesNotMatch(html, /autocomplete="off"| on[a-z]+=|<form(?![^>]*method="post")/, at)

    const script = readFileSync(new URL('../src/pages/enhance.js', import.meta.url), 'utf8')
    assert.doesNotMatch(script, /paste|copy|drop|preventDefault|beforeinput|keydown/i)
  })

  test('every page for a signed-in user offers sign-out, which is a form', async () => {
    await using app = await testApp({ engine })
    const visitor = await new Visitor(app).signIn(await app.user())
    for (const path of shown) {
      const page = await visitor.get(path)
      assert.equal(page.status, statusOf(path), path)
      assert.match(page.html, /<header\b(?:(?!<\/header>)[\s\S])*<a href="\/logout">/, path)
    }
    assert.ok('form_token' in (await visitor.get('/logout')).form('/logout'))
  })

  test('a session of tokens is ended on the page of sessions, and its tokens with it', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const { access, refresh } = await app.tokens(ada)
    const visitor = await new Visitor(app).signIn(ada)
    await visitor.send(await visitor.get('/account/sessions'), {}, '/account/sessions/end')
    assert.equal((await app.get('/session', { bearer: access })).status, 401)
    assert.equal((await app.post('/refresh', { refresh_token: refresh })).status, 401)
  })

  test('a page cached from an earlier visit is the one that would be rendered, except for its form token', async () => {
    await using app = await testApp({ engine })
    const withoutToken = (html: string) => html.replaceAll(/name="form_token" value="[\w-]{43}"/g, '')
    for (const language of languages) {
      const headers = { 'accept-language': language }
      for (const path of shown) {
        const [first, second] = [new Visitor(app, headers), new Visitor(app, headers)]
        const [printed, kept, again] = [await first.get(path), await second.get(path), await second.get(path)]
        assert.equal(withoutToken(kept.html), withoutToken(printed.html), path)
        assert.equal(withoutToken(again.html), withoutToken(printed.html), path) // with a cookie nothing is cached
        assert.match(kept.html, new RegExp(`<html lang="${language}"`))
        assert.notEqual(second.cookie('gatelodge-form'), first.cookie('gatelodge-form'))
        assert.deepEqual(tokensOf(kept), tokensOf(again))
        assert.notDeepEqual(tokensOf(kept), tokensOf(printed))
      }
    }
  })

  test('what one visitor brings is on no page of another: not the way on, not a message', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const told = await new Visitor(app).get('/login?next=/account/sessions')
    assert.match(told.html, /sessions/)
    const leaving = await new Visitor(app).signIn(ada)
    const left = await leaving.fill('/logout', {})
    assert.match(left.html, /class="flash"/)
    for (const path of new Set([told.at.split('?', 1)[0] ?? '', left.at]))
      assert.doesNotMatch((await new Visitor(app).get(path)).html, /class="flash"|sessions/)
  })
})

function tokensOf({ html }: SeenPage): string[] {
  const tokens = [...html.matchAll(/name="form_token" value="([\w-]{43})"/g)].map(([, token = '']) => token)
  assert.ok(tokens.length > 0)
  return tokens
}

/** Returns the expected status. Without its link, the page of an address change can only show where to go next. */
function statusOf(path: string): number {
  return path.startsWith('/change-email') || path === '/security/undo' ? 400 : 200
}

/** Returns every page for a signed-out and a signed-in visitor, including those of open links. */
async function everyPage(app: TestApp): Promise<SeenPage[]> {
  const ada = await app.user()
  const signedIn = await new Visitor(app).signIn(ada)
  const seen: SeenPage[] = []
  for (const visitor of [new Visitor(app), signedIn]) for (const path of shown) seen.push(await visitor.get(path))

  await app.post('/forgot-password', { email: ada.email })
  seen.push(await new Visitor(app).get(`/reset-password?token=${(await app.lastMail(ada.email)).token}`))
  await app.post('/signup', { email: 'new@example.com', password: 'quiet harbour 52' })
  seen.push(await new Visitor(app).get(`/verify-email?token=${(await app.lastMail('new@example.com')).token}`))
  return seen
}
