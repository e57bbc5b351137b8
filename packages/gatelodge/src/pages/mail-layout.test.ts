import assert from 'node:assert/strict'
import { test } from 'node:test'
import { day, hour, minute } from '../kernel/clock.ts'
import { exactTime, expirySentence, harmlessText, type MailContext, mailDocument, securityMail } from './mail-layout.ts'

const context: MailContext = {
  serviceName: 'A & "B"',
  publicUrl: 'http://localhost:3000',
  language: 'en',
  accent: null,
}
const moment = Date.UTC(2026, 10, 21, 10, 5)

test('the expiry is computed from the life of the link and names day, time and zone', () => {
  const end = 'on Saturday, November 21, 2026 at 10:05 AM UTC.'
  assert.equal(expirySentence(day, moment, 'en'), `This link works once and expires in 1 day, ${end}`)
  assert.equal(expirySentence(30 * minute, moment, 'en'), `This link works once and expires in 30 minutes, ${end}`)
  assert.equal(
    expirySentence(25 * hour + minute, moment, 'en'),
    `This link works once and expires in 1 day, 1 hour, and 1 minute, ${end}`,
  )
})

test('an exact time follows the locale and stays in UTC', () => {
  assert.match(exactTime(moment, 'de-DE'), /^Samstag, 21\. November 2026 um 10:05 UTC$/)
})

test('a usual name passes as it was typed', () => {
  for (const name of ['Ada', 'J. R. R. Tolkien', 'José Ñandú', '李小龍', 'علی‌رضا', "O'Brien & Söhne", 'Ada 2']) {
    assert.equal(harmlessText(name), name)
  }
})

test('a text that a mail program could turn into a link is not a name', () => {
  const names = [
    'https://evil.test/win',
    'evil.test',
    'www.evil.test',
    'EVIL．TEST',
    'ev\u200bil.te\u200bst',
    'evil.\u200btest',
  ]
  for (const name of [...names, 'a@b', 'tel:123', '1.2.3/x', 'evil。test', 'evil․test', '+49 (30) 1234 5678']) {
    assert.equal(harmlessText(name), undefined, name)
  }
})

test('a name is one line of at most 80 code points without control characters', () => {
  assert.equal(harmlessText('Ada\r\n\u2028\u0000\u202eLovelace '), 'Ada Lovelace')
  assert.equal(Array.from(harmlessText('😀'.repeat(5_000)) ?? '').length, 80)
  assert.equal(harmlessText('x'.repeat(80)), 'x'.repeat(80))
  assert.equal(harmlessText(' \u200b '), undefined)
  assert.equal(harmlessText('a\ud800'), 'a\ufffd')
})

test('every kind of block appears in both versions, escaped in HTML and plain in text', () => {
  const mail = mailDocument(context, {
    subject: 'One\r\nBcc: two',
    preheader: 'Before <all>',
    name: '<i>Ada',
    blocks: [
      { kind: 'paragraph', text: 'First <b>' },
      { kind: 'note', text: 'Small & print' },
      { kind: 'action', label: 'Do "it"', url: 'http://localhost:3000/do?a=1&b="' },
      { kind: 'link', text: 'Or:', url: 'http://localhost:3000/other' },
      {
        kind: 'facts',
        facts: [
          ['Device', '<svg onload=x>'],
          ['Time', 'now'],
        ],
      },
    ],
    footer: 'Why',
  })

  assert.equal(mail.subject, 'One Bcc: two')
  assert.equal(
    mail.text,
    [
      'Hello <i>Ada,',
      'First <b>',
      'Small & print',
      'Do "it":\nhttp://localhost:3000/do?a=1&b="',
      'Or:\nhttp://localhost:3000/other',
      'Device: <svg onload=x>\nTime: now',
      '-- \nWhy\nSent by A & "B", http://localhost:3000\n',
    ].join('\n\n'),
  )
  assert.doesNotMatch(mail.html, /<i>|<b>|<svg|<all>|&b=/)
  assert.match(mail.html, /href="http:\/\/localhost:3000\/do\?a=1&#38;b=&#34;"/)
})

test('a security notice says what happened, the way back, and how long that works where it ends', () => {
  const words = { subject: (serviceName: string) => `News of ${serviceName}`, preheader: 'Look', footer: 'Safety' }
  const link = 'https://auth.example/undo'
  const notice = { name: 'Ada', event: 'It happened.', facts: [['Where', 'here']] as const }
  const undone = securityMail(context, words, { ...notice, wayBack: { link, ttl: day, expiresAt: moment } })
  const order = /It happened\..*Where: here.*If it wasn’t.*https:\/\/auth\.example\/undo.*expires in 1 day.*Safety/s
  assert.match(undone.text, order)

  const wayBackWords = { wasYou: 'Was it you?', action: 'No' }
  const look = { text: 'See all:', url: 'https://auth.example/all' }
  const { text } = securityMail(context, words, { ...notice, wayBack: { link }, wayBackWords, look })
  assert.match(text, /Was it you\?.*https:\/\/auth\.example\/undo.*See all:.*https:\/\/auth\.example\/all/s)
  assert.doesNotMatch(text, /expires|If it wasn’t/)
})
