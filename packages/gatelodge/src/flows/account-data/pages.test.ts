import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forEachDatabase, testApp } from '../../../test/support/app.ts'
import { Visitor } from '../../../test/support/visitor.ts'
import { hour } from '../../kernel/clock.ts'
import { languages } from '../../kernel/languages.ts'
import { signInWords } from '../sign-in/words/index.ts'
import { accountDataWords } from './words/index.ts'

const words = accountDataWords.en.pages
const place = '/account/data'

forEachDatabase('data page', (engine) => {
  test('a copy of all data is a file; an older session must prove itself first and then returns', async () => {
    await using app = await testApp({ engine })
    const person = await app.user()
    const visitor = await new Visitor(app).signIn(person)
    const file = await visitor.fill(place, {}, `${place}/export`)
    assert.deepEqual(
      ['content-disposition', 'content-type', 'cache-control'].map((name) => file.headers.get(name)),
      ['attachment; filename="account.json"', 'application/json; charset=utf-8', 'no-store'],
    )
    assert.equal(JSON.parse(file.html).user.email, person.email)

    app.clock.advance(hour)
    const former = visitor.cookie('gatelodge') ?? ''
    const asked = await visitor.fill(place, {}, `${place}/export`)
    assert.equal(asked.at, `/account/reauthenticate?${new URLSearchParams({ next: `${place}/export` })}`)
    const wrong = await visitor.send(asked, { password: 'wrong harbour' }, '/account/reauthenticate')
    assert.equal(wrong.status, 400)
    assert.match(wrong.html, /id="field-password-fault"/)

    const back = await visitor.send(wrong, { password: person.password }, '/account/reauthenticate')
    assert.equal(back.at, place)
    assert.ok(back.text.includes(signInWords.en.pages.reauthenticate.done))
    assert.notEqual(visitor.cookie('gatelodge'), former)
    assert.equal((await app.get('/session', { cookie: former })).code, 'token_invalid')
    assert.equal(
      (await visitor.send(back, {}, `${place}/export`)).headers.get('content-type'),
      file.headers.get('content-type'),
    )
    assert.equal((await app.events()).filter((name) => name === 'user.exported').length, 2)
  })

  test('shows what happened to the account, in words, and only to its user', async () => {
    await using app = await testApp({ engine })
    const [person, other] = [await app.user(), await app.user()]
    await app.post(
      '/signin',
      { email: person.email, password: 'x' },
      { ip: '203.0.113.9', headers: { 'user-agent': '<b>x' } },
    )
    await app.post('/signin', { email: other.email, password: 'x' }, { ip: '203.0.113.66' })
    const page = await (await new Visitor(app, { 'accept-language': 'fr' }).signIn(person)).get(place)
    const { happened } = accountDataWords.fr.pages
    for (const name of ['user.created', 'signin.failed', 'session.started'] as const)
      assert.ok(page.text.includes(happened[name]))
    assert.ok(page.text.includes('203.0.113.9'))
    assert.doesNotMatch(page.html, /203\.0\.113\.66|<b>x/)
    assert.ok(!page.text.includes(other.email))
  })

  test('an account is deleted by its password only, with all its sessions', async () => {
    await using app = await testApp({ engine })
    const person = await app.user()
    const visitor = await new Visitor(app).signIn(person)
    const path = `${place}/delete`
    const page = await visitor.get(place)
    assert.ok(page.text.includes(words.delete.warning))
    for (const [password, status] of [
      ['wrong harbour', 400],
      ['', 400],
    ] as const) {
      const refused = await visitor.send(page, { password }, path)
      assert.deepEqual([refused.status, refused.at], [status, path])
      assert.match(refused.html, /id="field-password-fault"/)
    }
    assert.equal((await app.rows('users')).length, 1)

    const done = await visitor.send(page, { password: person.password }, path)
    assert.equal(done.at, '/login')
    assert.ok(done.text.includes(words.delete.deleted))
    assert.equal(visitor.cookie('gatelodge'), undefined)
    assert.deepEqual([await app.rows('users'), await app.rows('sessions')], [[], []])
  })

  test('the last administrator learns why the account cannot be deleted', async () => {
    await using app = await testApp({ engine })
    const person = await app.user()
    await app.deps.store.migrationDb
      .insertInto('user_roles')
      .values({ user_id: person.id as never, role: 'administrator' })
      .execute()
    const visitor = await new Visitor(app).signIn(person)
    const page = await visitor.fill(place, { password: person.password }, `${place}/delete`)
    assert.equal(page.status, 409)
    assert.ok(page.text.includes(words.delete.last_administrator))
  })

  test('every page of an account speaks every language, in its direction', async () => {
    await using app = await testApp({ engine })
    const person = await app.user()
    for (const language of languages) {
      const visitor = await new Visitor(app, { 'accept-language': language }).signIn(person)
      const titles = new Set<string>()
      for (const path of ['/account', '/account/sessions', place, '/logout', '/account/reauthenticate']) {
        const page = await visitor.get(path)
        assert.equal(page.status, 200)
        assert.match(page.html, new RegExp(`<html lang="${language}" dir="${language === 'ar' ? 'rtl' : 'ltr'}"`))
        assert.equal(page.html.match(/<h1>/g)?.length, 1)
        assert.equal(page.headers.get('cache-control'), 'no-store')
        titles.add(/<title>([^<]*)/.exec(page.html)?.[1] ?? '')
      }
      assert.equal(titles.size, 5)
    }
  })
})
