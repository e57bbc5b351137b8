import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forEachDatabase, testApp } from '../support/app.ts'

const hostile = [
  '<a href=https://evil.test>Win</a>',
  '"><svg onload=alert(1)>',
  'https://evil.test/win',
  'evil.test/win',
  'www.evil.test',
  'evil\u3002test',
  'evil\u200b.test',
  '\uff45vil\uff0etest',
  'Call +49 30 1234567 now',
  'mail me@evil.test',
  '{{7*7}}',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: what some template engines would evaluate
  '${7*7}',
  '<%= 7*7 %>',
  '#{7*7}',
  '&lt;script&gt;alert(1)&lt;/script&gt;',
  "'--><!--",
  'x'.repeat(150),
  '\u05d0'.repeat(100),
]

forEachDatabase('26 mail markup', (engine) => {
  test('whatever a stranger types as a name, a mail shows as text of limited length, links nowhere and evaluates nothing', async () => {
    await using app = await testApp({ engine, env: { GATELODGE_RATE_LIMITS: 'off' } })
    for (const [index, name] of hostile.entries()) {
      const email = `p${index}@example.com`
      const told = await app.post('/signup', { email, password: 'quiet harbour 52', first_name: name, last_name: name })
      assert.equal(told.status, 201, name)
      const signUp = await app.lastMail(email)
      await app.post('/verify-email', { token: signUp.token, password: 'quiet harbour 52' })
      await app.post('/forgot-password', { email })
      await app.post('/signup', { email, password: 'planted harbour 9', first_name: name })

      const mails = await app.mails(email)
      assert.equal(mails.length, 4, name)
      for (const { subject, html, text } of mails) {
        const links = [...html.matchAll(/\bhref="([^"]*)"/g), ...text.matchAll(/(https?:\/\/\S+)/g)].map(
          ([, url]) => url,
        )
        assert.ok(
          links.every((url) => url?.startsWith('http://localhost:3000')),
          `${name}: ${links.join()}`,
        )
        assert.doesNotMatch(html, /<(?:svg|script|a href=https)/, name)
        const shown = `${subject} ${text} ${html}`.replaceAll(/token=[\w.-]+/g, '')
        assert.doesNotMatch(shown, /evil|\b49\b|1234567/i, name)
        assert.ok(text.length < 2_000, name)
        assert.doesNotMatch(subject, /7\*7|<|x{5}/, name)
      }
    }
  })

  test('names of 10 kB, and ones that hide or turn characters, are refused by name', async () => {
    await using app = await testApp({ engine })
    for (const name of [
      'x'.repeat(10_240),
      'a\u202eb',
      'a\u2066b',
      'a\u2028b',
      'a\u0000b',
      'a\u001b[31mb',
      'a\u0085b',
      'a\r\nb',
      'a\ud800b',
    ]) {
      for (const field of ['first_name', 'last_name', 'fullname']) {
        const told = await app.post('/signup', {
          email: 'ada@example.com',
          password: 'quiet harbour 52',
          [field]: name,
        })
        assert.deepEqual([told.status, told.json.errors[0].field], [400, field], JSON.stringify(name.slice(0, 20)))
      }
    }
    assert.deepEqual(await app.rows('mails'), [])
  })
})
