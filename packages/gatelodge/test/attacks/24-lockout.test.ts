import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forEachDatabase, type Told, testApp } from '../support/app.ts'
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

  test('a day of the worst that the limits allow: the owner signs in at the first try on a known device, and by mail within the hour on a new one', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const mallory = await app.user({ password: 'planted harbour 9' })
    let planted = await app.cookie(mallory)
    let address = 0
    const fresh = () => {
      address += 1
      return { ip: `2001:db8:${address.toString(16)}::1` }
    }

    /** Does everything that strangers can do to an account, each time from a new address. */
    const attack = async () => {
      const { email, username } = ada
      for (const names of [{ email }, { username }, { identifier: email.toUpperCase() }, { email }])
        await app.post('/signin', { ...names, password: 'wrong harbour' }, fresh())
      for (let round = 0; round < 2; round += 1) await app.post('/forgot-password', { email }, fresh())
      await app.post('/verify-email/resend', { email }, fresh())
      await app.post('/signup', { email, password: 'planted harbour 9' }, fresh())
      const change = { new_email: email, password: mallory.password }
      await app.post('/change-email', change, { cookie: planted, ...fresh() })
    }
    const signIn = (password: string, cookie = '') =>
      app.post(
        '/signin',
        { email: ada.email, password, session: 'cookie' },
        cookie ? { headers: { cookie: `gatelodge-device=${cookie}` } } : fresh(),
      )
    /** Does what the owner can do with the emails of the last half hour, newest first. */
    const resetByMail = async (password: string) => {
      const links = (await app.mails(ada.email)).filter(({ kind }) => kind === 'password_reset')
      for (const { text } of links.slice(-4).reverse()) {
        const ask = { token: linkOf(text).token, new_password: password }
        const told = await app.post('/reset-password', ask, { headers: { 'sec-fetch-site': 'same-origin' } })
        if (told.status === 200) return told.cookie('gatelodge-device')
      }
      return undefined
    }

    let password = ada.password
    let device = (await signIn(password)).cookie('gatelodge-device')
    app.clock.advance(86_400_000)
    for (let step = 0; step < 72; step += 1) {
      await attack()
      if (step % 18 === 0) planted = await app.cookie(mallory)
      const known = await signIn(password, device)
      assert.equal(known.status, 200, `a known device in step ${step}: ${known.text}`)

      if (step % 18 === 17) {
        let waited = 0
        let browser: string | undefined
        password = `another harbour ${step}`
        for (; browser === undefined; waited += 1) {
          assert.ok(waited <= 6, `an hour for a link in step ${step}`)
          await app.post('/forgot-password', { email: ada.email }, fresh())
          browser = await resetByMail(password)
          if (browser === undefined) app.clock.advance(10 * 60_000)
          await attack()
        }
        for (let round = 0; round < 3; round += 1) await attack()
        const back = await signIn(password, browser)
        assert.equal(back.status, 200, `the new device in step ${step}: ${back.text}`)
        device = back.cookie('gatelodge-device')
      }
      app.clock.advance(20 * 60_000)
    }
  })

  test('a known device is sure of its reset link, whatever strangers have asked for', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const signedIn = await app.post('/signin', { email: ada.email, password: ada.password })
    const device = { headers: { cookie: `gatelodge-device=${signedIn.cookie('gatelodge-device')}` } }
    app.clock.advance(86_400_000)
    const links = async () => (await app.mails(ada.email)).filter(({ kind }) => kind === 'password_reset').length
    for (let round = 0; round < 60; round += 1) {
      await app.post('/forgot-password', { email: ada.email }, { ip: `203.0.113.${round}` })
      app.clock.advance(2 * 60_000)
      if (round % 20 !== 19) continue
      const before = await links()
      await app.post('/forgot-password', { email: ada.email }, device)
      assert.equal(await links(), before + 1, `round ${round}`)
    }
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

  test('a copy of a device cookie that a reset made worthless is not worth more when its owner signs in with the other', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const { email, password } = ada
    const cookieOf = (told: Told) => told.cookie('gatelodge-device')
    const headersOf = (device: string | undefined) => ({ headers: { cookie: `gatelodge-device=${device}` } })
    const copied = cookieOf(await app.post('/signin', { email, password }))
    await app.post('/forgot-password', { email })
    const { token } = await app.lastMail(email)
    const reset = { token, new_password: 'another harbour 53' }
    assert.equal((await app.post('/reset-password', reset, { ip: '203.0.113.9' })).status, 200)

    const here = await app.post('/signin', { email, password: reset.new_password }, headersOf(copied))
    assert.equal(here.status, 200)
    assert.ok(cookieOf(here))
    assert.notEqual(cookieOf(here)?.split('.')[0], copied?.split('.')[0])
    const again = await app.post('/signin', { email, password: reset.new_password }, headersOf(cookieOf(here)))
    assert.equal(cookieOf(again)?.split('.')[0], cookieOf(here)?.split('.')[0])
  })
})
