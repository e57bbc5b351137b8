import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forEachDatabase, testApp } from '../support/app.ts'
import { likeness } from '../support/attack.ts'
import { Visitor } from '../support/visitor.ts'

forEachDatabase('22 foreign ids', (engine) => {
  test('another’s session answers like none at all, in every spelling, and lives on', async () => {
    await using app = await testApp({ engine })
    const [mallory, ada] = [await app.user(), await app.user()]
    const { access } = await app.tokens(mallory)
    const held = await app.tokens(ada)
    const cookie = await app.cookie(ada)
    const [cookieId = '', secret = ''] = cookie.split('.')

    const none = likeness(await app.delete(`/me/sessions/${'A'.repeat(22)}`, { bearer: access }))
    for (const id of [
      held.session,
      cookieId,
      cookie,
      `${held.session}%20`,
      `%2e%2e%2f${held.session}`,
      ada.id,
      '*',
      '%25',
      "'%20or%201=1--",
      `${held.session},${cookieId}`,
    ]) {
      const told = await app.delete(`/me/sessions/${id}`, { bearer: access })
      assert.deepEqual(likeness(told), none, id)
    }
    for (const id of [held.session, cookieId]) {
      await app.post('/signout', { refresh_token: `${id}.${'A'.repeat(43)}` }, { bearer: access.slice(0, -4) })
      await app.post('/signout', {}, { cookie: `${id}.${'A'.repeat(43)}` })
      await app.post('/signout', {}, { cookie: `${'A'.repeat(22)}.${secret}` })
    }
    assert.equal((await app.get('/session', { bearer: held.access })).status, 200)
    assert.equal((await app.get('/session', { cookie })).status, 200)
    assert.equal((await app.delete('/me/sessions', { bearer: access })).status, 204)
    assert.equal((await app.get('/session', { cookie })).status, 200)
  })

  test('lists, export and events contain only the caller’s rows, and no parameter selects those of another user', async () => {
    await using app = await testApp({ engine })
    const [mallory, ada] = [await app.user(), await app.user()]
    const { access } = await app.tokens(mallory)
    const held = await app.tokens(ada)
    await app.post('/signin', { email: ada.email, password: 'wrong harbour' })
    for (const path of ['/me', '/me/sessions', '/me/events', '/me/export', '/session', '/validate']) {
      const told = await app.get(`${path}?user_id=${ada.id}&id=${ada.id}&sub=${ada.id}`, {
        bearer: access,
        headers: { 'x-user-id': ada.id },
      })
      assert.equal(told.status, 200, path)
      for (const foreign of [ada.id, ada.email, ada.username, held.session]) {
        assert.equal(told.text.includes(foreign), false, `${path} holds ${foreign}`)
      }
    }
  })

  test('on the page, another’s session answers like none at all, and lives on; the pages hold nothing of another', async () => {
    await using app = await testApp({ engine })
    const [mallory, ada] = [await app.user(), await app.user()]
    const cookie = await app.cookie(ada)
    const held = await app.tokens(ada)
    const visitor = await new Visitor(app).signIn(mallory)
    const [adas = ''] = cookie.split('.')
    const told = []
    for (const id of ['A'.repeat(22), adas, held.session, cookie, ada.id, '<b>', '*']) {
      const fields = { id, form_token: (await visitor.get('/account/sessions')).form('/language').form_token ?? '' }
      const { status, at, html } = await visitor.post('/account/sessions/end', fields)
      told.push({ status, at, html })
    }
    for (const page of told) assert.deepEqual(page, told[0])
    assert.equal((await app.get('/session', { cookie })).status, 200)
    assert.equal((await app.get('/session', { bearer: held.access })).status, 200)

    for (const path of [
      '/account',
      '/account/sessions',
      '/account/data',
      '/account/email',
      '/account/reauthenticate',
    ]) {
      const { status, html } = await visitor.get(`${path}?user_id=${ada.id}&id=${ada.id}`)
      assert.equal(status, 200, path)
      for (const foreign of [ada.id, ada.email, ada.username, held.session, adas])
        assert.equal(html.includes(foreign), false, `${path} holds ${foreign}`)
    }
  })

  test('ids of sessions are random, 128 bits each', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const ids = []
    for (let round = 0; round < 20; round += 1) ids.push((await app.tokens(ada)).session)
    assert.equal(new Set(ids).size, 20)
    for (const id of ids) assert.match(id, /^[\w-]{22}$/)
    assert.ok(new Set(ids.map((id) => id.slice(0, 4))).size > 15)
  })
})
