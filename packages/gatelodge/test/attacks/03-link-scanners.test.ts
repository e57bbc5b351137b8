import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forEachDatabase, testApp } from '../support/app.ts'
import { askPage, stored } from '../support/attack.ts'
import { Visitor } from '../support/visitor.ts'

/** Clients that fetch links: a bare client, a browser, a prefetch, an embedded preview. */
const fetchers: readonly Readonly<Record<string, string>>[] = [
  {},
  { 'sec-fetch-dest': 'document', 'sec-fetch-mode': 'navigate', 'sec-fetch-site': 'none' },
  { 'sec-fetch-dest': 'document', 'sec-purpose': 'prefetch;prerender' },
  { 'sec-fetch-dest': 'iframe', 'user-agent': 'LinkPreview/1.0' },
]

forEachDatabase('03 link scanners', (engine) => {
  test('no way of fetching a link spends it, changes a row or makes a session', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const { access } = await app.tokens(ada)
    await app.post('/change-email', { new_email: 'new@example.com', password: ada.password }, { bearer: access })
    const change = await app.lastMail('new@example.com')
    await app.post('/forgot-password', { email: ada.email })
    const reset = await app.lastMail(ada.email)
    await app.post('/signup', { email: 'eve@example.com', password: 'quiet harbour 52' })
    const verify = await app.lastMail('eve@example.com')

    const before = await stored(app)
    const links = [
      `/verify-email?token=${verify.token}`,
      `/reset-password?token=${reset.token}`,
      `/change-email/confirm?token=${change.token}`,
      `/change-email?token=${change.token}`,
    ]
    for (const link of links) {
      for (const method of ['GET', 'HEAD', 'OPTIONS', 'GET', 'HEAD', 'GET']) {
        const told = await app.ask(method, link)
        assert.ok(
          told.status === 303 || told.status === 204 || told.status === 405,
          `${method} ${link}: ${told.status}`,
        )
        assert.deepEqual(told.setCookies, [])
      }
      // A scanner that also clicks the button, without what only the page sends.
      for (const type of ['application/x-www-form-urlencoded', 'text/plain', 'multipart/form-data; boundary=x']) {
        const told = await app.ask('POST', link, 'token=x', { headers: { 'content-type': type } })
        assert.ok(
          [405, 415].includes(told.status) || told.code === 'not_authenticated',
          `${type} ${link}: ${told.status}`,
        )
      }
    }
    assert.deepEqual(await stored(app), before)

    assert.equal((await app.post('/verify-email', { token: verify.token, password: 'quiet harbour 52' })).status, 200)
    assert.equal((await app.post('/change-email/confirm', { token: change.token })).status, 200)
    const undo = await app.lastMail(ada.email)
    for (const method of ['GET', 'HEAD', 'GET']) await app.ask(method, `/change-email/undo?token=${undo.token}`)
    assert.equal((await app.post('/change-email/undo', { token: undo.token })).status, 200)
    const again = await app.lastMail(ada.email)
    for (const method of ['GET', 'HEAD', 'GET']) await app.ask(method, `/reset-password?token=${again.token}`)
    assert.equal(
      (await app.post('/reset-password', { token: again.token, new_password: 'another harbour 53' })).status,
      200,
    )
  })

  test('no way of fetching a page by its link spends the link, and a scanner without cookies cannot press the button', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const { access } = await app.tokens(ada)
    await app.post('/change-email', { new_email: 'new@example.com', password: ada.password }, { bearer: access })
    const change = (await app.lastMail('new@example.com')).token
    await app.post('/forgot-password', { email: ada.email })
    const reset = (await app.lastMail(ada.email)).token
    const eve = { email: 'eve@example.com', password: 'quiet harbour 52', password_confirmation: 'quiet harbour 52' }
    const visitor = new Visitor(app)
    await visitor.fill('/register', eve)
    const verify = (await app.lastMail(eve.email)).token

    const scan = async (path: string, token: string) => {
      const before = await stored(app)
      for (const headers of fetchers) {
        for (const method of ['GET', 'HEAD', 'GET']) {
          const told = await askPage(app, method, `${path}?token=${token}`, headers)
          assert.ok(told.status === 200 || told.status === 303, `${method} ${path}: ${told.status}`)
        }
        const proofs = [{ origin: 'http://localhost:3000' }, { 'sec-fetch-site': 'same-origin' }, {}]
        for (const proof of proofs) {
          const fields = {
            token,
            password: eve.password,
            new_password: 'x',
            password_confirmation: 'x',
            form_token: '',
          }
          const told = await askPage(app, 'POST', `${path}?token=${token}`, { ...headers, ...proof }, fields)
          assert.equal(told.status, 403, path)
        }
      }
      assert.deepEqual(await stored(app), before)
    }
    await scan('/verify-email', verify)
    await scan('/reset-password', reset)
    await scan('/change-email', change)

    const fresh = { new_password: 'another harbour 53', password_confirmation: 'another harbour 53' }
    assert.equal((await visitor.fill(`/verify-email?token=${verify}`, {})).at, '/login')
    assert.equal((await visitor.fill(`/reset-password?token=${reset}`, fresh)).at, '/login')
    await app.post('/signin', { email: ada.email, password: fresh.new_password })
    assert.equal((await visitor.get(`/change-email?token=${change}`)).status, 400) // the reset invalidates it

    const again = await app.tokens({ ...ada, password: fresh.new_password })
    await app.post(
      '/change-email',
      { new_email: 'new@example.com', password: fresh.new_password },
      { bearer: again.access },
    )
    const second = (await app.lastMail('new@example.com')).token
    await scan('/change-email', second)
    assert.equal((await visitor.fill(`/change-email?token=${second}`, {})).at, '/login')
    const undo = (await app.lastMail(ada.email)).token
    await scan('/change-email/undo', undo)
    assert.equal((await visitor.fill(`/change-email/undo?token=${undo}`, {})).at, '/login')
    assert.ok((await app.rows('users')).some(({ email }) => email === ada.email))
  })
})
