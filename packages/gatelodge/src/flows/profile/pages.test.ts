import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forEachDatabase, testApp } from '../../../test/support/app.ts'
import { dataFolder, plain } from '../../../test/support/images.ts'
import { Visitor } from '../../../test/support/visitor.ts'
import { profileWords } from './words/index.ts'

const words = profileWords.en.pages
const picture = new Uint8Array(await plain(40, 30).png().toBuffer())

forEachDatabase('account page', (engine) => {
  test('the profile is filled in, changed, and cleared by what is left empty', async () => {
    await using app = await testApp({ engine })
    const person = await app.user({ firstName: 'Ada' })
    const visitor = await new Visitor(app).signIn(person)
    const given = {
      first_name: 'Grace',
      last_name: '<b>Hopper</b>',
      username: `${person.username}x`,
      phone_number: '+1 555 010 0199',
      website: 'https://example.org/?a=1&b=2',
      github_link: 'https://github.com/grace',
      birth_date: '1906-12-09',
      locale: '',
    }
    assert.equal((await visitor.get('/account')).form('/account').first_name, 'Ada')

    const saved = await visitor.fill('/account', given)
    assert.equal(saved.at, '/account')
    assert.ok(saved.text.includes(words.profile.saved))
    assert.doesNotMatch(saved.html, /<b>Hopper/)
    const { form_token, ...shown } = saved.form('/account')
    assert.deepEqual(shown, given)
    assert.ok(!(await visitor.get('/account')).text.includes(words.profile.saved), 'a message is shown once')

    const cookie = visitor.cookie('gatelodge') ?? ''
    assert.equal((await app.get('/me', { cookie })).json.last_name, '<b>Hopper</b>')
    await visitor.fill('/account', Object.fromEntries(Object.keys(given).map((name) => [name, ''])))
    const { user } = (await app.get('/session', { cookie })).json
    assert.deepEqual([user.first_name, user.username, user.profile.website], ['', null, null])
  })

  test('errors appear at their fields with what was sent, and nothing is changed', async () => {
    await using app = await testApp({ engine })
    const [person, other] = [await app.user(), await app.user()]
    const visitor = await new Visitor(app).signIn(person)
    const page = await visitor.fill('/account', {
      website: 'javascript:alert(1)',
      birth_date: '"><b>',
      first_name: 'X',
    })
    assert.equal(page.status, 400)
    assert.match(page.html, /id="field-website-fault"[\s\S]*id="field-birth_date-fault"/)
    assert.equal(page.form('/account').birth_date, '"><b>')
    assert.doesNotMatch(page.html, /<b>|action="\/account\/password"/)

    const taken = await visitor.fill('/account', { username: other.username })
    assert.equal(taken.status, 400)
    assert.match(taken.html, /id="field-username-fault"/)
    assert.equal((await visitor.get('/account')).form('/account').first_name, '')
  })

  test('a picture replaces the initials, can be replaced, and can be removed', async () => {
    using data = dataFolder()
    await using app = await testApp({ engine, env: data.env })
    const visitor = await new Visitor(app).signIn(await app.user({ firstName: 'Ada' }))
    const page = await visitor.get('/account')
    assert.match(page.html, /class="avatar initials initials-\d" aria-hidden="true">A</)

    const shown = await visitor.upload('/account/avatar', page.form('/account/avatar'), 'avatar', picture)
    assert.equal(shown.at, '/account')
    assert.ok(shown.text.includes(words.picture.changed))
    assert.match(shown.html, /<img class="avatar" src="\/avatars\/[0-9a-f]{32}-320\.webp"/)
    assert.equal(data.files().length, 2)

    const gone = await visitor.send(shown, {}, '/account/avatar/remove')
    assert.ok(gone.text.includes(words.picture.removed))
    assert.doesNotMatch(gone.html, /<img class="avatar"/)
    assert.deepEqual(data.files(), [])
  })

  test('a file that is not a picture, or a missing file, is reported at the field', async () => {
    using data = dataFolder()
    await using app = await testApp({ engine, env: data.env })
    const visitor = await new Visitor(app).signIn(await app.user())
    const fields = (await visitor.get('/account/avatar')).form('/account/avatar')
    const svg = new TextEncoder().encode('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>')
    for (const [file, status] of [
      [svg, 400],
      [new Uint8Array(6 * 1024 * 1024), 413],
      [new Uint8Array(0), 400],
    ] as const) {
      const page = await visitor.upload('/account/avatar', fields, 'avatar', file)
      assert.equal(page.status, status)
      assert.match(page.html, /id="field-avatar-fault"/)
      assert.doesNotMatch(page.html, /alert\(1\)/)
    }
    for (const form_token of ['', 'x']) {
      const page = await visitor.upload('/account/avatar', { ...fields, form_token }, 'avatar', picture)
      assert.equal(page.status, 403)
    }
    assert.deepEqual(data.files(), [])
  })

  test('a language chosen in the profile applies immediately, over one chosen in the footer; other API tags are kept', async () => {
    await using app = await testApp({ engine })
    const person = await app.user()
    const visitor = await new Visitor(app).signIn(person)
    const footer = await visitor.get('/account')
    const german = await visitor.post('/language', { ...footer.form('/language'), language: 'de', next: '/account' })
    assert.match(german.html, /<html lang="de"/)

    const saved = await visitor.fill('/account', { locale: 'ar' })
    assert.match(saved.html, /<html lang="ar" dir="rtl"/)
    assert.ok(saved.text.includes(profileWords.ar.pages.profile.saved))

    const cookie = visitor.cookie('gatelodge') ?? ''
    await app.patch('/me', { profile: { locale: 'de-CH' } }, { cookie })
    const kept = await visitor.fill('/account', { first_name: 'Ada' })
    assert.equal(kept.form('/account').locale, 'de-CH')
    assert.equal((await app.get('/me', { cookie })).json.profile.locale, 'de-CH')
  })

  test('a name is requested if the service wants one, and not otherwise', async () => {
    await using off = await testApp({ engine, env: { GATELODGE_USERNAME: 'off' } })
    const person = { email: 'ada@example.com', password: 'quiet harbour 52' }
    await off.post('/signup', person)
    await off.post('/verify-email', { ...person, email: undefined, token: (await off.lastMail(person.email)).token })
    const visitor = await new Visitor(off).signIn(person)
    assert.equal((await visitor.get('/account')).form('/account').username, undefined)
    assert.equal((await visitor.fill('/account', { first_name: 'Ada' })).at, '/account')
    const forced = await visitor.post('/account', {
      ...(await visitor.get('/account')).form('/account'),
      username: 'ada',
    })
    assert.deepEqual([forced.status, forced.at], [400, '/account'])

    await using required = await testApp({ engine, env: { GATELODGE_USERNAME: 'required' } })
    const member = await new Visitor(required).signIn(await required.user())
    assert.match((await member.fill('/account', { username: '' })).html, /id="field-username-fault"/)
  })

  test('account pages are for the session only: a signed-out visitor is sent to the sign-in, a bearer token is ignored', async () => {
    await using app = await testApp({ engine })
    const { access } = await app.tokens(await app.user())
    for (const path of ['/account', '/account/avatar', '/account/password', '/account/email', '/account/data']) {
      const page = await new Visitor(app, { authorization: `Bearer ${access}` }).get(path)
      assert.equal(page.at, `/login?${new URLSearchParams({ next: path })}`)
    }
  })
})
