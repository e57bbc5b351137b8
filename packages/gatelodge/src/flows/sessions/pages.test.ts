import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forEachDatabase, testApp } from '../../../test/support/app.ts'
import { type SeenPage, Visitor } from '../../../test/support/visitor.ts'
import { sessionWords } from './words/index.ts'

const words = sessionWords.en.pages
const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'

function rowsOf(page: SeenPage): readonly string[] {
  return page.html.match(/<li class="row">[\s\S]*?<\/li>/g) ?? []
}

forEachDatabase('sessions page', (engine) => {
  test('lists where its reader is signed in, and ends one session or all others', async () => {
    await using app = await testApp({ engine })
    const person = await app.user()
    await app.cookie(await app.user(), { headers: { 'user-agent': 'another user' } })
    const visitor = await new Visitor(app, { 'user-agent': firefox }).signIn(person)
    const others = [await app.cookie(person, { headers: { 'user-agent': '<b>x' } }), await app.cookie(person)]

    const page = await visitor.get('/account/sessions')
    assert.equal(rowsOf(page).length, 3)
    assert.doesNotMatch(page.html, /<b>x|another user/)
    const [own = ''] = rowsOf(page).filter((row) => row.includes(words.current))
    assert.match(own, /Firefox · Linux[\s\S]*<time[^>]* datetime="[^"]+Z">[^<]+UTC<\/time>[\s\S]*192\.0\.2\.7/)
    assert.doesNotMatch(own, /<form/)

    const ended = await visitor.send(page, {}, '/account/sessions/end')
    assert.equal(ended.at, '/account/sessions')
    assert.ok(ended.text.includes(words.ended))
    assert.equal(rowsOf(ended).length, 2)

    const form_token = page.form('/language').form_token ?? ''
    const again = await visitor.post('/account/sessions/end', { id: 'A'.repeat(22), form_token })
    assert.ok(again.text.includes(words.gone))

    const alone = await visitor.send(ended, {}, '/account/sessions/end-others')
    assert.ok(alone.text.includes(words.othersEnded))
    assert.equal(rowsOf(alone).length, 1)
    assert.doesNotMatch(alone.html, /end-others/)
    for (const cookie of others) assert.equal((await app.get('/session', { cookie })).code, 'token_invalid')
  })

  test('signing out asks first, ends the session, and takes its cookie away', async () => {
    await using app = await testApp({ engine })
    const visitor = await new Visitor(app).signIn(await app.user())
    const cookie = visitor.cookie('gatelodge') ?? ''
    const asked = await visitor.get('/logout')
    assert.ok(asked.text.includes(words.logout.lead))
    assert.equal((await app.get('/session', { cookie })).status, 200)

    const done = await visitor.send(asked, {}, '/logout')
    assert.equal(done.at, '/login')
    assert.ok(done.text.includes(words.logout.done))
    assert.equal(visitor.cookie('gatelodge'), undefined)
    assert.equal((await app.get('/session', { cookie })).code, 'token_invalid')
    assert.equal((await visitor.get('/logout')).at, '/login')
  })

  test('a sign-in that was needed on the way returns to the page of the button', async () => {
    await using app = await testApp({ engine })
    const person = await app.user()
    const visitor = await new Visitor(app).signIn(person)
    const page = await visitor.get('/account/sessions')
    await app.delete('/me/sessions', { cookie: await app.cookie(person) })
    const login = await visitor.post('/account/sessions/end-others', {
      form_token: page.form('/language').form_token ?? '',
    })
    assert.equal(login.at, '/login?next=%2Faccount%2Fsessions%2Fend-others')
    const back = await visitor.send(login, { identifier: person.email, password: person.password }, '/login')
    assert.equal(back.at, '/account/sessions')
  })
})
