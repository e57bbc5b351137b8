import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forEachDatabase, testApp } from '../support/app.ts'

forEachDatabase('05 session fixation', (engine) => {
  test('a sign-in over the attacker’s own live session ends it and takes nothing of it over', async () => {
    await using app = await testApp({ engine })
    const [mallory, ada] = [await app.user(), await app.user()]
    const planted = await app.cookie(mallory)
    assert.equal((await app.get('/session', { cookie: planted })).json.user.id, mallory.id)

    const fresh = await app.cookie(ada, { cookie: planted })
    assert.notEqual(fresh.split('.')[0], planted.split('.')[0])
    assert.equal((await app.get('/session', { cookie: fresh })).json.user.id, ada.id)
    assert.equal((await app.get('/session', { cookie: planted })).code, 'token_invalid')
  })

  test('a re-authentication changes the id of cookie and token sessions, and the old credentials are dead at once', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const planted = await app.cookie(ada)
    const { access, refresh, session } = await app.tokens(ada)
    await app.get('/session', { cookie: planted })
    await app.get('/session', { bearer: access })

    const byCookie = await app.post('/reauthenticate', { password: ada.password }, { cookie: planted })
    assert.notEqual(byCookie.cookie('gatelodge')?.split('.')[0], planted.split('.')[0])
    assert.equal((await app.get('/session', { cookie: planted })).code, 'token_invalid')
    const byToken = await app.post('/reauthenticate', { password: ada.password }, { bearer: access })
    assert.notEqual(byToken.json.session_id, session)
    assert.equal((await app.get('/session', { bearer: access })).code, 'token_invalid')
    assert.equal((await app.post('/refresh', { refresh_token: refresh })).code, 'token_invalid')
  })

  test('of two session cookies the planted one does not fall back to the other', async () => {
    await using app = await testApp({ engine })
    const [mallory, ada] = [await app.user(), await app.user()]
    const [planted, real] = [await app.cookie(mallory), await app.cookie(ada)]
    const both = await app.get('/session', {
      headers: { cookie: `gatelodge=${'A'.repeat(22)}.${'B'.repeat(43)}; gatelodge=${real}` },
    })
    assert.equal(both.status, 401)
    // A name that only looks like ours is not ours.
    for (const name of ['Gatelodge', ' gatelodge-x', 'xgatelodge', '__Host-gatelodge', 'gatelodge ']) {
      assert.equal(
        (await app.get('/session', { headers: { cookie: `${name}=${planted}` } })).code,
        'not_authenticated',
        name,
      )
    }
  })

  test('over https a cookie without the __Host- prefix counts for nothing', async () => {
    await using app = await testApp({
      engine,
      env: { GATELODGE_PUBLIC_URL: 'https://auth.example', GATELODGE_INSECURE_HTTP: 'yes' },
    })
    const ada = await app.user()
    const told = await app.post('/signin', { email: ada.email, password: ada.password, session: 'cookie' })
    const value = told.cookie('__Host-gatelodge')
    assert.equal((await app.get('/session', { headers: { cookie: `__Host-gatelodge=${value}` } })).status, 200)
    assert.equal((await app.get('/session', { headers: { cookie: `gatelodge=${value}` } })).code, 'not_authenticated')
  })
})
