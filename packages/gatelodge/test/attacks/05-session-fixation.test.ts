import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createCookieJar } from '../../src/http/cookies.ts'
import { forEachDatabase, testApp } from '../support/app.ts'

/** Every byte that a header may contain, except HTML's two whitespace characters and those that end a cookie or a name. */
const noBlanks = Array.from({ length: 255 }, (_, index) => String.fromCharCode(index + 1)).filter(
  (byte) => !/[ \t\r\n;=]/.test(byte),
)

test('a cookie whose name begins or ends with a byte other than SP or HTAB is not ours: 0xA0 and similar bytes are not whitespace', () => {
  const jar = createCookieJar('https://auth.example')
  for (const { name, read } of Object.values(jar)) {
    for (const byte of noBlanks) {
      for (const planted of [`${byte}${name}=x`, `${byte} ${name}=x`, ` ${byte}${name}=x`, `${name}${byte}=x`]) {
        assert.equal(read(planted), undefined, `${name} ${byte.charCodeAt(0)}`)
        assert.equal(read(`${planted}; ${name}=own`), 'own')
        assert.equal(read(`a=b;${planted}`), undefined)
      }
      assert.equal(read(`${name}=own${byte}`), `own${byte}`, 'a value is what was sent')
    }
    for (const blanks of ['', ' ', '\t', ' \t ']) assert.equal(read(`a=b;${blanks}${name}=own${blanks};c=d`), 'own')
  }
})

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
    // A name that only looks like ours is a different cookie.
    for (const name of ['Gatelodge', ' gatelodge-x', 'xgatelodge', '__Host-gatelodge', 'gatelodge ']) {
      assert.equal(
        (await app.get('/session', { headers: { cookie: `${name}=${planted}` } })).code,
        'not_authenticated',
        name,
      )
    }
  })

  test('a session planted by a sibling domain under a name that only looks like ours identifies no user', async () => {
    await using app = await testApp({
      engine,
      env: { GATELODGE_PUBLIC_URL: 'https://auth.example', GATELODGE_INSECURE_HTTP: 'yes' },
    })
    const mallory = await app.user()
    const signIn = { email: mallory.email, password: mallory.password, session: 'cookie' }
    const planted = (await app.post('/signin', signIn)).cookie('__Host-gatelodge')
    for (const byte of ['\xa0', '\x85', '\x0b', '\x0c', '\x1f', '\xad', '\xff']) {
      const told = await app.get('/session', { headers: { cookie: `${byte}__Host-gatelodge=${planted}` } })
      assert.equal(told.code, 'not_authenticated', String(byte.charCodeAt(0)))
    }
    for (const blank of [' ', '\t']) {
      const told = await app.get('/session', { headers: { cookie: `a=b;${blank}__Host-gatelodge=${planted}${blank}` } })
      assert.equal(told.status, 200)
    }
  })

  test('a sign-up cookie planted this way does not replace the password of a sign-up', async () => {
    await using app = await testApp({
      engine,
      env: { GATELODGE_PUBLIC_URL: 'https://auth.example', GATELODGE_INSECURE_HTTP: 'yes' },
    })
    const signedUp = await app.post('/signup', { email: 'ada@example.com', password: 'planted harbour 9' })
    const cookie = signedUp.cookie('__Host-gatelodge-signup')
    const { token } = await app.lastMail('ada@example.com')
    for (const byte of ['\xa0', '\x0b', '\x0c']) {
      const headers = { cookie: `${byte}__Host-gatelodge-signup=${cookie}` }
      assert.equal((await app.post('/verify-email', { token }, { headers })).code, 'password_required')
    }
    const headers = { cookie: `__Host-gatelodge-signup=${cookie}` }
    assert.equal((await app.post('/verify-email', { token }, { headers })).status, 200)
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
