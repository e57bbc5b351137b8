import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pages } from '../../src/routes.ts'
import { forEachDatabase, testApp } from '../support/app.ts'
import { askEveryRoute, askPage } from '../support/attack.ts'
import { Visitor } from '../support/visitor.ts'

const hour = 3_600_000
const fresh = 'another harbour 53'

forEachDatabase('35 step-up', (engine) => {
  test('a proof is bound to the session that gave it, and neither use nor refresh makes an old one young', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const stale = await app.cookie(ada)
    const pair = await app.tokens(ada)
    app.clock.advance(24 * hour)
    const renewed = (await app.post('/refresh', { refresh_token: pair.refresh })).json
    await app.get('/session', { cookie: stale })
    const other = await app.cookie(ada)
    assert.equal((await app.post('/reauthenticate', { password: ada.password }, { cookie: other })).status, 200)

    for (const ask of [{ cookie: stale }, { bearer: renewed.access_token as string }]) {
      const told = await app.get('/me/export', ask)
      assert.deepEqual([told.status, told.code], [403, 'reauthentication_required'])
      const gone = await app.delete('/me', ask, {})
      assert.deepEqual([gone.status, gone.code], [403, 'reauthentication_required'])
    }
    assert.equal((await app.rows('users')).length, 1)
    assert.equal((await app.events()).includes('user.exported'), false)
  })

  test('every route that requires a fresh proof rejects an old one before it reads the body, on pages too', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const cookie = await app.cookie(ada)
    app.clock.advance(24 * hour)
    const told = await askEveryRoute(
      app,
      () => ({ cookie }),
      ({ access }) => access.fresh === true,
    )
    assert.deepEqual(
      told.map(({ name, status, code }) => [name, status, code]),
      [
        ['GET /api/v1/auth/me/export', 403, 'reauthentication_required'],
        ['POST /api/v1/auth/me/tokens', 403, 'reauthentication_required'],
      ],
    )
    const freshPages = pages.filter(({ access }) => access.fresh)
    assert.deepEqual(
      freshPages.map(({ method, path }) => `${method} ${path}`),
      ['POST /account/tokens/new', 'POST /account/data/export'],
    )
    for (const { method, path } of freshPages) {
      const headers = { cookie: `gatelodge=${cookie}`, 'sec-fetch-site': 'same-origin' }
      const { status, headers: sent } = await askPage(app, method, path, headers, {})
      assert.deepEqual(
        [status, sent.get('location')],
        [303, `/account/reauthenticate?next=${encodeURIComponent(path)}`],
      )
    }
  })

  test('a fresh session is no stand-in for the password where the password is asked for', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const { access } = await app.tokens(ada)
    const mails = (await app.rows('mails')).length
    for (const [path, body, field] of [
      ['/change-email', { new_email: 'thief@example.com' }, 'password'],
      ['/change-email', { new_email: 'thief@example.com', password: '' }, 'password'],
      ['/change-email', { new_email: 'thief@example.com', password: null }, 'password'],
      ['/change-password', { new_password: 'another harbour 53' }, 'old_password'],
      ['/change-password', { old_password: '', new_password: 'another harbour 53' }, 'old_password'],
      ['/reauthenticate', {}, 'password'],
    ] as const) {
      const told = await app.post(path, body, { bearer: access })
      assert.deepEqual([told.status, told.json.errors?.[0]?.field], [400, field], path)
    }
    assert.equal(
      (await app.delete('/me', { bearer: access }, { password: 'wrong harbour' })).code,
      'incorrect_password',
    )
    assert.equal(
      (
        await app.post(
          '/change-email',
          { new_email: 'thief@example.com', password: 'wrong harbour' },
          { bearer: access },
        )
      ).code,
      'incorrect_password',
    )
    assert.equal((await app.rows('mails')).length, mails)
  })

  test('another person’s password proves nothing', async () => {
    await using app = await testApp({ engine })
    const [ada, eve] = [await app.user(), await app.user({ password: 'planted harbour 9' })]
    const { access } = await app.tokens(ada)
    assert.equal(
      (await app.post('/reauthenticate', { password: eve.password }, { bearer: access })).code,
      'incorrect_password',
    )
    const told = await app.post('/reauthenticate', { password: eve.password, email: eve.email }, { bearer: access })
    assert.equal(told.json.errors[0].field, 'email')
  })

  test('guesses at the password of a stolen session are slowed down across all routes that ask for it', async () => {
    await using app = await testApp({ engine })
    const { access } = await app.tokens(await app.user())
    const codes = []
    for (let round = 0; round < 4; round += 1) {
      const ask = { bearer: access, ip: `203.0.113.${round}` }
      codes.push((await app.post('/reauthenticate', { password: `wrong ${round}` }, ask)).code)
      codes.push(
        (await app.post('/change-email', { new_email: 'x@example.com', password: `wrong ${round}` }, ask)).code,
      )
      codes.push((await app.delete('/me', ask, { password: `wrong ${round}` })).code)
    }
    assert.equal(codes.filter((code) => code === 'incorrect_password').length, 5)
    assert.equal(codes.at(-1), 'rate_limited')
  })

  test('pages require the same proofs: an old session gets no copy of the data, and a fresh one cannot replace the password', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const visitor = await new Visitor(app).signIn(ada)
    for (const [path, filled] of [
      ['/account/email', { new_email: 'thief@example.com', password: '' }],
      ['/account/email', { new_email: 'thief@example.com', password: 'wrong harbour' }],
      ['/account/password', { old_password: '', new_password: fresh, password_confirmation: fresh }],
      ['/account/password', { old_password: 'wrong harbour', new_password: fresh, password_confirmation: fresh }],
      ['/account/data/delete', { password: '' }],
      ['/account/data/delete', { password: 'wrong harbour' }],
      ['/account/reauthenticate', { password: '' }],
    ] as const) {
      assert.equal((await visitor.fill(path, filled)).status, 400, `${path} ${JSON.stringify(filled)}`)
    }

    app.clock.advance(24 * hour)
    const asked = await visitor.fill('/account/data', {}, '/account/data/export')
    assert.match(asked.at, /^\/account\/reauthenticate\?/)
    assert.ok(!asked.html.includes(ada.id))
    const eve = await app.user({ password: 'planted harbour 9' })
    const foreign = await visitor.send(asked, { password: eve.password }, '/account/reauthenticate')
    assert.equal(foreign.status, 400)
    assert.match((await visitor.fill('/account/data', {}, '/account/data/export')).at, /^\/account\/reauthenticate\?/)

    assert.equal((await app.events()).includes('user.exported'), false)
    assert.equal((await app.mails('thief@example.com')).length, 0)
    assert.equal((await app.post('/signin', { email: ada.email, password: ada.password })).status, 200)
  })

  test('after the proof on the page, next leads to our own pages only', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    for (const next of ['https://evil.test/', '//evil.test', '/\\evil.test', 'javascript:alert(1)']) {
      const visitor = await new Visitor(app).signIn(ada)
      const page = await visitor.get(`/account/reauthenticate?${new URLSearchParams({ next })}`)
      assert.equal(page.form('/account/reauthenticate').next, '/account', next)
      const done = await visitor.send(page, { password: ada.password, next }, '/account/reauthenticate')
      assert.equal(done.at, '/account', next)
    }
  })
})
