import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forEachDatabase, testApp } from '../support/app.ts'
import { stored } from '../support/attack.ts'

const form = { headers: { 'content-type': 'application/x-www-form-urlencoded' } }

forEachDatabase('15 recipient injection', (engine) => {
  test('one request names one recipient, as one string, or is refused without a mail', async () => {
    await using app = await testApp({ engine, env: { GATELODGE_RATE_LIMITS: 'off' } })
    await app.user({ email: 'victim@example.com' })
    await app.mails('victim@example.com')
    const before = await stored(app)

    for (const path of ['/forgot-password', '/verify-email/resend', '/signup']) {
      const rest = path === '/signup' ? { password: 'quiet harbour 52' } : {}
      for (const email of [
        ['victim@example.com', 'evil@example.com'],
        [['victim@example.com']],
        { $ne: null },
        { 0: 'victim@example.com', length: 1 },
        { toString: 'victim@example.com' },
        'victim@example.com,evil@example.com',
        'victim@example.com;evil@example.com',
        'victim@example.com evil@example.com',
        'victim@example.com\r\nBcc: evil@example.com',
        'victim@example.com%0d%0aBcc:evil@example.com',
        'Victim <victim@example.com>',
        'victim@example.com <evil@example.com>',
        '<victim@example.com>',
        'mailto:victim@example.com',
        'victim@example.com\0evil@example.com',
      ]) {
        const told = await app.post(path, { email, ...rest })
        assert.deepEqual(
          [told.status, told.json.errors?.[0]?.field],
          [400, 'email'],
          `${path} ${JSON.stringify(email)}`,
        )
      }

      const more = path === '/signup' ? ',"password":"quiet harbour 52"' : ''
      for (const [body, field] of [
        [`{"email":"victim@example.com","email":"evil@example.com"${more}}`, 'email'],
        [`{"email":"evil@example.com","\\u0065mail":"victim@example.com"${more}}`, 'email'],
        [`{"email":"victim@example.com","Email":"evil@example.com"${more}}`, 'Email'],
        [`{"email":"victim@example.com","email[]":"evil@example.com"${more}}`, 'body'],
        [`{"email":"victim@example.com","to":"evil@example.com"${more}}`, 'to'],
      ] as const) {
        const told = await app.post(path, body)
        assert.deepEqual([told.status, told.json.errors?.[0]?.field], [400, field], `${path} ${body}`)
      }
      for (const body of [
        'email[]=victim@example.com&email[]=evil@example.com',
        'email=victim@example.com&email=evil@example.com',
      ]) {
        assert.equal((await app.post(path, body, form)).code, 'media_type_unsupported', path)
      }
    }
    assert.deepEqual(await stored(app), before)
  })

  test('an address in the query is not looked at', async () => {
    await using app = await testApp({ engine })
    await app.user({ email: 'victim@example.com' })
    await app.post('/forgot-password?email=evil@example.com', { email: 'victim@example.com' })
    assert.equal((await app.lastMail('victim@example.com')).kind, 'password_reset')
    assert.deepEqual(await app.mails('evil@example.com'), [])
  })
})
