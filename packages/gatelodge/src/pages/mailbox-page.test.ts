import assert from 'node:assert/strict'
import { test } from 'node:test'
import { plainTheme } from '../../test/support/theme.ts'
import { mailFramePolicy } from '../http/security-headers.ts'
import { day, hour, minute, second } from '../kernel/clock.ts'
import { type MailboxEntry, mailboxListPage, mailboxMailPage } from './mailbox-page.ts'

const now = Date.UTC(2026, 10, 21, 10, 5)
const entry: MailboxEntry = {
  id: 'm1',
  to: 'ada@example.org',
  from: 'Acme <no-reply@example.org>',
  subject: 'Please verify',
  date: now - 3 * minute,
  html: '<p>Hello</p><script>alert(1)</script>',
  text: 'Hello',
  kind: 'verification',
}

test('the list shows the newest mail first, whatever the order it got', () => {
  const older = { ...entry, id: 'm0', subject: 'Older', date: now - 2 * hour }
  for (const entries of [
    [older, entry],
    [entry, older],
  ]) {
    const text = mailboxListPage(entries, plainTheme('Acme'), now)
    assert.ok(text.indexOf('Please verify') < text.indexOf('Older'))
    assert.match(text, /2 mails\./)
  }
})

test('the list shows the age of an email in the largest unit that fits', () => {
  const ages = [0, 5 * second, 3 * minute, 2 * hour, day, 3 * day].map((age) => ({ ...entry, date: now - age }))
  const text = mailboxListPage(ages, plainTheme('Acme'), now)

  const shown = [...text.matchAll(/<time[^>]*>([^<]*)</g)].map((match) => match[1])
  assert.deepEqual(shown, ['now', '5 seconds ago', '3 minutes ago', '2 hours ago', 'yesterday', '3 days ago'])
})

test('an empty mailbox says what to do', () => {
  assert.match(mailboxListPage([], plainTheme('Acme'), now), /No mail yet/)
})

test('a mail is shown in a frame without scripts, forms or our origin', () => {
  const text = mailboxMailPage(entry, plainTheme('Acme'))

  assert.match(
    text,
    /<iframe [^>]*sandbox="allow-popups allow-popups-to-escape-sandbox" src="\/dev\/mailbox\/m1\/html">/,
  )
  assert.doesNotMatch(text, /<script|srcdoc/)
  assert.match(text, /<pre class="mail-text" tabindex="0">Hello<\/pre>/)
  assert.match(text, /&#60;script&#62;/)
  assert.match(mailFramePolicy, /default-src 'none'.*sandbox allow-popups/)
  assert.doesNotMatch(mailFramePolicy, /allow-scripts|allow-same-origin/)
})

test('nothing of a mail becomes markup of the mailbox', () => {
  const evil = '"><svg onload=alert(1)>'
  const hostile = { ...entry, id: '../x?"', to: evil, from: evil, subject: evil, text: evil, kind: evil }

  for (const text of [mailboxListPage([hostile], plainTheme(evil), now), mailboxMailPage(hostile, plainTheme(evil))]) {
    assert.doesNotMatch(text, /<svg/)
    assert.match(text, /"\/dev\/mailbox\/\.\.%2Fx%3F%22/)
  }
})
