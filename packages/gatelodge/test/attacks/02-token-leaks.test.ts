import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forEachDatabase, testApp } from '../support/app.ts'

const token = `${'T'.repeat(22)}.${'canary'.repeat(7)}x`

forEachDatabase('02 token leaks', (engine) => {
  test('an opened link answers no-store and no-referrer, and sends the token nowhere but to our page', async () => {
    await using app = await testApp({ engine })
    const told = await app.get(`/verify-email?token=${token}`)
    assert.equal(told.headers.get('referrer-policy'), 'no-referrer')
    assert.equal(told.headers.get('cache-control'), 'no-store')
    assert.equal(new URL(told.headers.get('location') ?? '').origin, 'http://localhost:3000')
    assert.deepEqual([told.text, told.setCookies], ['', []])
  })

  test('no answer repeats a token, and neither the log nor the audit log holds one', async () => {
    await using app = await testApp({ engine })
    const told = [
      await app.get(`/verify-email?token=${token}&token=${token}`),
      await app.get(`/verify-email?token=${token}&also=${token}`),
      await app.get(`/verify-email?${token}=x`),
      await app.post('/verify-email', { token }),
      await app.post('/reset-password', { token, new_password: 'another harbour 53' }),
      await app.post('/reset-password', { token, new_password: token, [token]: token }),
      await app.post('/change-email/confirm', { token }),
      await app.post('/change-email/undo', { token }),
      await app.post('/refresh', { refresh_token: token }),
      await app.post('/signout', { refresh_token: token }),
      await app.get('/session', { bearer: token }),
      await app.get('/session', { cookie: token }),
      await app.get(`/nowhere?token=${token}`),
      await app.get(`/me/sessions/${token}`),
    ]
    for (const { text, headers } of told) assert.doesNotMatch(text + JSON.stringify([...headers]), /canary/)
    assert.doesNotMatch(JSON.stringify(app.logged), /canary/)
    assert.doesNotMatch(JSON.stringify(await app.rows('events')), /canary/)
  })

  test('no page and no mail loads anything from elsewhere', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    await app.post('/forgot-password', { email: ada.email })
    const pages = [(await app.get('/docs')).text, ...(await app.mails(ada.email)).map(({ html }) => html)]
    for (const page of pages) {
      const loaded = [
        ...page.matchAll(/<(?:script|img|link|iframe|source|video|object|embed)\b[^>]*?(?:src|href|data)="([^"]*)"/g),
      ]
      assert.deepEqual(
        loaded.filter(([, url]) => !/^(?:\/|data:image)/.test(url ?? '') && !url?.startsWith('http://localhost:3000/')),
        [],
      )
    }
  })
})
