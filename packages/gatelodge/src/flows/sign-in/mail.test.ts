import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newDeviceMail } from './mail.ts'

const context = {
  serviceName: 'Gatelodge',
  publicUrl: 'https://id.example.org',
  language: 'en',
  accent: null,
} as const

test('a device that is no plain words is not repeated to the owner of the account', () => {
  for (const device of ['https://evil.test/win', 'evil.test', '\r\n', 'call +1 800 555 0199']) {
    const mail = newDeviceMail(context, {
      name: 'Ada',
      device,
      ip: '203.0.113.7',
      at: Date.UTC(2026, 10, 21, 10, 5),
      sessionsLink: 'https://id.example.org/account/sessions',
      undo: { link: 'https://id.example.org/security/undo?token=x', ttl: 1000, expiresAt: Date.UTC(2026, 10, 24) },
    })

    assert.match(
      mail.text,
      /^Device: unknown\nIP address: 203\.0\.113\.7\nTime: Saturday, November 21, 2026 at 10:05 AM UTC$/m,
    )
    assert.doesNotMatch(mail.html, /evil|555/)
  }
})
