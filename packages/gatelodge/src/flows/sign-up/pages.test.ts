import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forEachDatabase, testApp } from '../../../test/support/app.ts'
import { Visitor } from '../../../test/support/visitor.ts'
import { languages } from '../../kernel/languages.ts'
import { pageWords } from '../../pages/words/index.ts'
import { signUpWords } from './words/index.ts'

const password = 'quiet harbour 52'
const ada = {
  email: 'ada@example.com',
  username: 'ada',
  first_name: 'Ada',
  last_name: 'Lovelace',
  password,
  password_confirmation: password,
}

forEachDatabase('sign-up page', (engine) => {
  test('stores a sign-up under the same rules as the API, and says where to find the link', async () => {
    await using app = await testApp({ engine })
    const visitor = new Visitor(app, { 'accept-language': 'de' })
    const page = await visitor.fill('/register', ada)

    assert.deepEqual([page.at, page.status], ['/verify-email', 200])
    assert.ok(visitor.cookie('gatelodge-signup'))
    assert.equal(visitor.cookie('gatelodge'), undefined)
    const [pending] = await app.rows('pending_signups')
    assert.deepEqual(
      [pending?.email, pending?.username, pending?.first_name, pending?.last_name, pending?.language],
      ['ada@example.com', 'ada', 'Ada', 'Lovelace', 'de'],
    )
    assert.deepEqual(await app.rows('users'), [])
  })

  test('reports at the field that a username is taken, and keeps the rest but not the passwords', async () => {
    await using app = await testApp({ engine })
    const owner = await app.user({ username: 'taken' })
    const page = await new Visitor(app).fill('/register', { ...ada, username: 'Taken' })

    assert.equal(page.status, 400)
    assert.match(page.html, /id="field-username-fault">This username is taken</)
    const { form_token: _, ...kept } = page.form('/register')
    assert.deepEqual(kept, { ...ada, username: 'Taken', password: '', password_confirmation: '' })
    assert.ok(!page.html.includes(password))
    assert.ok(!page.html.includes(owner.email))
  })

  test('mode `instant` signs in at once by a cookie', async () => {
    await using app = await testApp({ engine, env: { GATELODGE_REGISTRATION: 'instant' } })
    const visitor = new Visitor(app)
    const page = await visitor.fill('/register', ada)

    assert.equal(page.at, '/account')
    const { user } = (await app.get('/session', { cookie: visitor.cookie('gatelodge') ?? '' })).json
    assert.deepEqual([user.email, user.email_verified], [ada.email, false])
    assert.deepEqual(await app.rows('refresh_tokens'), [])
    assert.equal((await visitor.get('/register')).at, '/account')
    const taken = await new Visitor(app).fill('/register', { ...ada, username: 'ada2' })
    assert.match(taken.html, /id="field-email-fault">An account has this address already</)
  })

  test('modes `closed` and `admin` show a page that says so, in every language, and take no form', async () => {
    for (const mode of ['closed', 'admin']) {
      await using app = await testApp({ engine, env: { GATELODGE_REGISTRATION: mode } })
      for (const language of languages) {
        const visitor = new Visitor(app, { 'accept-language': language })
        const page = await visitor.get('/register')
        assert.equal(page.status, 200)
        assert.ok(page.text.includes(signUpWords[language].pages.closed))
        assert.throws(() => page.form('/register'))

        const { form_token = '' } = page.form('/language')
        const sent = await visitor.post('/register', { ...ada, form_token })
        assert.equal(sent.status, 403)
        assert.ok(sent.text.includes(signUpWords[language].pages.closed))
      }
      assert.deepEqual(await app.rows('pending_signups'), [])
    }
  })

  test('the username is asked for as the setting says', async () => {
    await using off = await testApp({ engine, env: { GATELODGE_USERNAME: 'off' } })
    const { username: _, ...nameless } = ada
    const without = await new Visitor(off).get('/register')
    assert.ok(!('username' in without.form('/register')))
    assert.equal((await new Visitor(off).fill('/register', nameless)).at, '/verify-email')

    await using required = await testApp({ engine, env: { GATELODGE_USERNAME: 'required' } })
    const page = await new Visitor(required).get('/register')
    assert.match(page.html, /name="username"[^>]* required aria-required="true"/)
    const refused = await new Visitor(required).fill('/register', nameless)
    assert.match(refused.html, /id="field-username-fault">Fill in this field</)

    await using optional = await testApp({ engine })
    const asked = await new Visitor(optional).get('/register')
    assert.doesNotMatch(asked.html, /name="username"[^>]* required/)
    assert.equal((await new Visitor(optional).fill('/register', nameless)).at, '/verify-email')
  })

  test('each field shows its own errors in every language, and the password field its minimum length', async () => {
    await using app = await testApp({
      engine,
      env: { GATELODGE_PASSWORD_MIN_LENGTH: '11', GATELODGE_RATE_LIMITS: 'off' },
    })
    for (const language of languages) {
      const visitor = new Visitor(app, { 'accept-language': language })
      for (const [field, code, values] of [
        ['email', 'required', { email: '' }],
        ['email', 'email_invalid', { email: 'not an address' }],
        ['username', 'too_short', { username: 'a' }],
        ['username', 'characters', { username: 'a@b' }],
        ['first_name', 'characters', { first_name: 'a\u202eb' }],
        ['password', 'required', { password: '' }],
        ['password', 'too_short', { password: 'short word', password_confirmation: 'short word' }],
        ['password', 'too_common', { password: 'password1234', password_confirmation: 'password1234' }],
        ['password', 'contains_identity', { password: 'Ada Lovelace', password_confirmation: 'Ada Lovelace' }],
        ['password_confirmation', 'mismatch', { password_confirmation: 'quiet harbour 53' }],
      ] as const) {
        const page = await visitor.fill('/register', { ...ada, ...values })
        assert.equal(page.status, 400)
        const fault = `id="field-${field}-fault">${pageWords[language].faults[code]}<`
        assert.ok(page.html.includes(fault), `${language} ${field} ${code}`)
        assert.ok(page.html.includes(`href="#field-${field}"`))
        assert.ok(page.text.includes(signUpWords[language].pages.hint(11)))
        assert.deepEqual([page.form('/register').password, page.form('/register').last_name], ['', 'Lovelace'])
      }
    }
    assert.deepEqual(await app.rows('pending_signups'), [])
  })

  test('a bad address and two passwords that differ are reported together', async () => {
    await using app = await testApp({ engine })
    const wish = { ...ada, email: 'not an address', password_confirmation: 'quiet harbour 53' }
    const page = await new Visitor(app).fill('/register', wish)
    assert.equal(page.status, 400)
    for (const field of ['email', 'password_confirmation'])
      assert.ok(page.html.includes(`href="#field-${field}"`), field)
  })

  test('a hash that cannot be had now is told on a page that says when to come back', async () => {
    await using app = await testApp({ engine })
    await app.deps.hasher.close()
    const page = await new Visitor(app).fill('/register', ada)
    assert.equal(page.status, 503)
    assert.ok(page.text.includes(pageWords.en.problems.unavailable.text))
  })
})
