import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forEachDatabase, testApp } from '../../../test/support/app.ts'
import { plainTheme } from '../../../test/support/theme.ts'
import { Visitor } from '../../../test/support/visitor.ts'

forEachDatabase('sign-in page', (engine) => {
  test('signs in with a cookie and redirects to a page of this server', async () => {
    await using app = await testApp({ engine })
    const person = await app.user()
    const visitor = new Visitor(app)

    const page = await visitor.fill('/login?next=/account/sessions', {
      identifier: person.email,
      password: person.password,
    })
    assert.equal(page.at, '/account/sessions')
    assert.equal(
      (await app.get('/session', { cookie: visitor.cookie('gatelodge') ?? '' })).json.user.email,
      person.email,
    )
  })

  test('shows a failure on the form, keeps what was sent, and never prints a password', async () => {
    await using app = await testApp({ engine })
    const page = await new Visitor(app).fill('/login', { identifier: '"><b>x', password: 'no such password' })

    assert.equal(page.status, 401)
    assert.match(page.html, /role="alert"/)
    assert.equal(page.form('/login').identifier, '"><b>x')
    assert.doesNotMatch(page.html, /<b>x|no such password/)
  })

  test('a page for a visit that brings nothing is kept under its own address, and under no other spelling of it', async () => {
    await using app = await testApp({ engine })
    const first = async (path: string) => (await new Visitor(app).get(path)).html
    const spellings = ['/login', '/%6Cogin', '/log%69n']
    for (const path of spellings) assert.match(await first(path), /<title>[^<]*Gatelodge/)
    Object.assign(app.deps, { theme: plainTheme('Renamed') })
    assert.deepEqual(await Promise.all(spellings.map(async (path) => /<title>[^<]*Renamed/.test(await first(path)))), [
      false,
      true,
      true,
    ])
  })

  test('a change of language comes back to the page with its way on', async () => {
    await using app = await testApp({ engine })
    const visitor = new Visitor(app)
    const page = await visitor.get('/login?next=/account/sessions')
    const changed = await visitor.post('/language', { ...page.form('/language'), language: 'fr' })

    assert.match(changed.html, /<html lang="fr"/)
    assert.equal(changed.form('/login').next, '/account/sessions')
  })

  test('an unconfirmed address is told the way to a new link, after the right password only', async () => {
    await using app = await testApp({ engine })
    const person = await app.user()
    await app.deps.store.transaction((db) =>
      db.updateTable('users').set({ email_verified_at: null }).where('email', '=', person.email).execute(),
    )
    const told = await new Visitor(app).fill('/login', { identifier: person.email, password: person.password })
    assert.match(told.html, /href="\/verify-email\/resend"/)
    const wrong = await new Visitor(app).fill('/login', { identifier: person.email, password: 'not the password' })
    assert.doesNotMatch(wrong.html, /href="\/verify-email\/resend"/)
  })

  test('a form without the token of its session or browser is refused, and nothing happens', async () => {
    await using app = await testApp({ engine })
    const person = await app.user()
    const fields = { identifier: person.email, password: person.password }
    const visitor = new Visitor(app)
    const page = await visitor.get('/login')
    const stranger = (await new Visitor(app).get('/login')).form('/login').form_token ?? ''

    for (const form_token of ['', 'x', stranger]) {
      const refused = await visitor.post('/login', { ...page.form('/login'), ...fields, form_token })
      assert.equal(refused.status, 403)
      assert.equal(visitor.cookie('gatelodge'), undefined)
    }
    const crossSite = await visitor.post(
      '/login',
      { ...page.form('/login'), ...fields },
      { 'sec-fetch-site': 'cross-site', origin: 'https://evil.test' },
    )
    assert.equal(crossSite.status, 403)
    assert.equal(visitor.cookie('gatelodge'), undefined)
  })

  test('next leads to our own pages only, and is clean in the page already', async () => {
    await using app = await testApp({ engine })
    for (const next of [
      'https://evil.test/',
      '//evil.test',
      '/\\evil.test',
      '/.//evil.test',
      'http://localhost:3000//evil.test',
      'javascript:alert(1)',
      'http://localhost:3000@evil.test/',
      '/\tevil',
      `/${'x'.repeat(3000)}`,
    ]) {
      const page = await new Visitor(app).get(`/login?${new URLSearchParams({ next })}`)
      assert.equal(page.form('/login').next, '/account', next)
    }
  })
})
