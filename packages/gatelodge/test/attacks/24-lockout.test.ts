import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forEachDatabase, testApp } from '../support/app.ts'
import { linkOf } from '../support/attack.ts'

forEachDatabase('24 lockout as denial of service', (engine) => {
  test('500 wrong sign-ins from many addresses leave the known device, live sessions and the reset working, without a mail', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const first = await app.post('/signin', { email: ada.email, password: ada.password, session: 'cookie' })
    const device = { headers: { cookie: `gatelodge-device=${first.cookie('gatelodge-device')}` } }
    const mails = (await app.mails(ada.email)).length

    for (let batch = 0; batch < 10; batch += 1) {
      const ips = Array.from({ length: 50 }, (_, index) => `203.${batch}.113.${index}`)
      await Promise.all(ips.map((ip) => app.post('/signin', { email: ada.email, password: 'wrong harbour' }, { ip })))
    }
    assert.equal((await app.mails(ada.email)).length, mails)
    assert.equal((await app.get('/session', { cookie: first.cookie('gatelodge') ?? '' })).status, 200)
    assert.equal((await app.post('/signin', { email: ada.email, password: ada.password }, device)).status, 200)
    await app.post('/forgot-password', { email: ada.email })
    const { token } = await app.lastMail(ada.email)
    assert.equal((await app.post('/reset-password', { token, new_password: 'another harbour 53' })).status, 200)
    assert.equal((await app.post('/signin', { email: ada.email, password: 'another harbour 53' })).status, 200)
  })

  test('a week of guessing at every chance is told once, and the reset ends it', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    let checked = 0
    for (let round = 0; round < 400; round += 1) {
      const told = await app.post(
        '/signin',
        { email: ada.email, password: `wrong ${round}` },
        { ip: `203.0.${round % 250}.9` },
      )
      if (told.code === 'invalid_credentials') checked += 1
      app.clock.advance(16 * 60_000)
    }
    assert.ok(checked > 100)
    const kinds = (await app.mails(ada.email)).map(({ kind }) => kind)
    assert.equal(kinds.filter((kind) => kind === 'password_disabled').length, 1)

    await app.post('/forgot-password', { email: ada.email })
    const mail = (await app.mails(ada.email)).filter(({ kind }) => kind === 'password_reset').at(-1)
    const { token } = linkOf(mail?.text ?? '')
    assert.equal((await app.post('/reset-password', { token, new_password: 'another harbour 53' })).status, 200)
    assert.equal((await app.post('/signin', { email: ada.email, password: 'another harbour 53' })).status, 200)
  })

  test('an exhausted sign-in budget of an address blocks no other kind of route', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const { access, refresh } = await app.tokens(ada)
    for (let round = 0; round < 40; round += 1) {
      await app.post('/signin', { email: `p${round}@example.com`, password: 'wrong harbour' })
    }
    assert.equal((await app.post('/signin', { email: ada.email, password: ada.password })).code, 'rate_limited')
    assert.equal((await app.post('/forgot-password', { email: ada.email })).status, 200)
    assert.equal((await app.get('/session', { bearer: access })).status, 200)
    assert.equal((await app.post('/refresh', { refresh_token: refresh })).status, 200)
  })
})
