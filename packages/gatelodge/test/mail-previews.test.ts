import assert from 'node:assert/strict'
import { globSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { apiTokenCreatedMail } from '../src/flows/api-tokens/mail.ts'
import {
  addressInUseMail,
  confirmNewEmailMail,
  emailChangeNoticeMail,
  emailChangeRequestedMail,
  emailRestoredMail,
} from '../src/flows/email-change/mail.ts'
import { accountExistsMail, verificationMail, welcomeMail } from '../src/flows/email-verification/mail.ts'
import { passwordChangedMail } from '../src/flows/password-change/mail.ts'
import { invitationMail, passwordDisabledMail, registerFirstMail, resetMail } from '../src/flows/password-reset/mail.ts'
import { recoveryStartedMail } from '../src/flows/recovery/mail.ts'
import { newDeviceMail } from '../src/flows/sign-in/mail.ts'
import { day, hour, minute } from '../src/kernel/clock.ts'
import { directionOf, languages, localeOf } from '../src/kernel/languages.ts'
import { exactTime, type MailContext, type RenderedMail } from '../src/pages/mail-layout.ts'
import { testMail } from '../src/pages/trial-mail.ts'

const packageFolder = fileURLToPath(new URL('..', import.meta.url))
const origin = 'https://id.example.org'
const at = Date.UTC(2026, 10, 20, 10, 5)
const token = 'vt_01j9.Zm9vYmFyYmF6cXV4'
const forgot = `${origin}/forgot-password`
const timed = (ttl: number) => ({ ttl, expiresAt: at + ttl })

export const sampleContext: MailContext = {
  serviceName: 'Gatelodge',
  publicUrl: origin,
  language: 'en',
  accent: null,
}

/** An email of the project with plausible data. `links` are the targets that it must offer, in order. */
export interface MailSample {
  readonly kind: string
  readonly links: readonly string[]
  /** The lifetime of its links, in English words. */
  readonly expiry?: string
  readonly render: (context: MailContext, name: string) => RenderedMail
}

const verify = `${origin}/verify-email?token=${token}&next=%2F`
const reset = `${origin}/reset-password?token=${token}`
const confirm = `${origin}/change-email?token=${token}`
const undo = `${origin}/change-email/undo?token=${token}`
const notMe = `${origin}/security/undo?token=${token}`
const notMeLink = { link: notMe, ...timed(72 * hour) }
const undoExpiry = '3 days, on Monday, November 23, 2026 at 10:05 AM UTC'
const device = { device: 'Firefox on Linux', ip: '203.0.113.7', at }

/** Every email that Gatelodge sends. To look at one, print `sample.render(sampleContext, 'Ada').html`. */
export const samples: readonly MailSample[] = [
  {
    kind: 'verification',
    expiry: '1 day, on Saturday, November 21, 2026 at 10:05 AM UTC',
    links: [verify],
    render: (context, name) => verificationMail(context, { name, link: verify, ...timed(day) }),
  },
  {
    kind: 'account_exists',
    links: [`${origin}/login`, forgot],
    render: (context, name) => accountExistsMail(context, { name, signInLink: `${origin}/login`, resetLink: forgot }),
  },
  {
    kind: 'welcome',
    links: [`${origin}/login`],
    render: (context, name) => welcomeMail(context, { name, signInLink: `${origin}/login` }),
  },
  {
    kind: 'reset',
    expiry: '30 minutes, on Friday, November 20, 2026 at 10:35 AM UTC',
    links: [reset],
    render: (context, name) => resetMail(context, { name, link: reset, ...timed(30 * minute) }),
  },
  {
    kind: 'invitation',
    expiry: '7 days, on Friday, November 27, 2026 at 10:05 AM UTC',
    links: [reset],
    render: (context, name) => invitationMail(context, { name, link: reset, ...timed(7 * day) }),
  },
  {
    kind: 'register_first',
    links: [`${origin}/register`],
    render: (context) => registerFirstMail(context, { registerLink: `${origin}/register` }),
  },
  {
    kind: 'password_disabled',
    links: [forgot],
    render: (context, name) => passwordDisabledMail(context, { name, resetLink: forgot, where: 'newDevices' }),
  },
  {
    kind: 'password_changed',
    expiry: undoExpiry,
    links: [notMe],
    render: (context, name) => passwordChangedMail(context, { name, at, undo: notMeLink }),
  },
  {
    kind: 'confirm_new_email',
    expiry: '1 day, on Saturday, November 21, 2026 at 10:05 AM UTC',
    links: [confirm],
    render: (context, name) => confirmNewEmailMail(context, { name, link: confirm, ...timed(day) }),
  },
  {
    kind: 'email_change_notice',
    expiry: undoExpiry,
    links: [undo],
    render: (context, name) =>
      emailChangeNoticeMail(context, {
        name,
        maskedNewEmail: 'a***@example.com',
        undoLink: undo,
        ...timed(72 * hour),
      }),
  },
  {
    kind: 'email_change_requested',
    links: [forgot],
    render: (context, name) =>
      emailChangeRequestedMail(context, { name, maskedNewEmail: 'a***@example.com', at, forgotLink: forgot }),
  },
  {
    kind: 'recovery_started',
    expiry: '30 minutes, on Friday, November 20, 2026 at 10:35 AM UTC',
    links: [reset],
    render: (context, name) => recoveryStartedMail(context, { name, link: reset, ...timed(30 * minute) }),
  },
  { kind: 'address_in_use', links: [], render: (context, name) => addressInUseMail(context, { name }) },
  {
    kind: 'email_restored',
    expiry: '30 minutes, on Friday, November 20, 2026 at 10:35 AM UTC',
    links: [reset],
    render: (context, name) => emailRestoredMail(context, { name, resetLink: reset, ...timed(30 * minute) }),
  },
  {
    kind: 'new_device',
    expiry: undoExpiry,
    links: [notMe, `${origin}/account/sessions`],
    render: (context, name) =>
      newDeviceMail(context, { name, ...device, undo: notMeLink, sessionsLink: `${origin}/account/sessions` }),
  },
  {
    kind: 'api_token_created',
    expiry: undoExpiry,
    links: [notMe, `${origin}/account/tokens`],
    render: (context, name) =>
      apiTokenCreatedMail(context, {
        name,
        at,
        expiresAt: at + 30 * day,
        tokensLink: `${origin}/account/tokens`,
        undo: notMeLink,
      }),
  },
  { kind: 'test', links: [], render: (context) => testMail(context, { at }) },
]

test('every mail that the program writes has a sample here', async () => {
  const files = globSync('src/{flows/*/mail,pages/trial-mail}.ts', { cwd: packageFolder })
  const modules = await Promise.all(files.map((file) => import(pathToFileURL(join(packageFolder, file)).href)))
  const written = modules.flatMap((each) => Object.keys(each).filter((name) => name.endsWith('Mail')))
  const sampled = samples.map(({ kind }) => `${kind.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase())}Mail`)
  assert.deepEqual(sampled.sort(), written.sort())
})

for (const { kind, links, expiry, render } of samples) {
  test(`the ${kind} mail has a subject, both bodies, and offers its links once each`, () => {
    const mail = render(sampleContext, 'Ada Lovelace')

    assert.match(mail.subject, /^\S.{5,70}$/)
    assert.doesNotMatch(mail.subject, /Ada/)
    assert.deepEqual(hrefs(mail.html), links)
    assert.deepEqual(
      mail.text.split('\n').filter((line) => line.startsWith('http')),
      links,
    )
  })

  test(`the ${kind} mail tells when its links end, if they do`, () => {
    const { text } = render(sampleContext, 'Ada Lovelace')
    const told = /works once and expires in (.*)\.$/m.exec(text)?.[1]

    assert.equal(told, expiry)
  })

  test(`the ${kind} mail says the same in text as in HTML, in every language`, () => {
    for (const language of languages) assertSameWords(render({ ...sampleContext, language }, 'Ada Lovelace'))
  })

  test(`the ${kind} mail is whole and in its own words in every language`, () => {
    const english = render(sampleContext, 'Ada Lovelace')
    for (const language of languages.filter((language) => language !== 'en')) {
      const mail = render({ ...sampleContext, language }, 'Ada Lovelace')

      assert.match(mail.subject, /^\S.{5,70}$/)
      assert.deepEqual(hrefs(mail.html), links)
      assert.deepEqual(sharedLines(mail.text, english.text), [], language)
      if (expiry !== undefined) assert.ok(mail.text.includes(exactTime(endOf(expiry), localeOf(language))), language)
    }
  })

  test(`the ${kind} mail tells mail programs its language and direction, at its root and inside`, () => {
    for (const language of languages) {
      const { html } = render({ ...sampleContext, language }, 'Ada Lovelace')
      const marked = `lang="${language}" dir="${directionOf(language)}"`

      assert.equal(html.split(marked).length, 3)
      assert.ok(html.includes(`<html ${marked}>`))
      assert.match(html, language === 'ar' ? /;text-align:right"/ : /;text-align:left"/)
      assert.doesNotMatch(html, /(?:margin|padding|border|inset)-(?:inline|block)|text-align:(?:start|end)/)
      for (const [element] of html.matchAll(/<[^>]*class="url"[^>]*>/g)) assert.match(element, / dir="ltr"/)
    }
  })

  test(`the Arabic ${kind} mail has no words in Latin script except names and abbreviations`, () => {
    const { subject, text } = render({ ...sampleContext, language: 'ar' }, 'Ada Lovelace')
    const given = /https?:\/\/\S+|Gatelodge|Ada Lovelace|Firefox on Linux|a\*\*\*@example\.com|UTC|\b(?:IP|API)\b/g

    assert.doesNotMatch(`${subject}\n${text}`.replace(given, ''), /[a-z]/i)
  })

  test(`the ${kind} mail loads nothing and points at no other origin`, () => {
    const mail = render(sampleContext, 'Ada Lovelace')

    assert.doesNotMatch(mail.html, /<(script|img|link|iframe|form|object)\b|url\(|@import|src=/i)
    for (const url of `${mail.html} ${mail.text}`.matchAll(/\b[a-z]+:\/\/[^\s"<]+/gi)) {
      assert.equal(new URL(unescaped(url[0])).origin, origin)
    }
  })

  for (const name of [
    '<a href=https://evil>',
    'https://evil.test/win',
    'evil．test',
    'me@evil.test',
    '+1 800 555 0199',
  ]) {
    test(`the ${kind} mail does not repeat the name ${name}`, () => {
      const mail = render(sampleContext, name)

      assert.ok(mail.text.startsWith('Hello,\n'))
      assert.doesNotMatch(`${mail.html}${mail.text}`, /evil|555/)
    })
  }

  test(`the ${kind} mail neither runs, wraps nor repeats a hostile name at length`, () => {
    const plain = render(sampleContext, '').html.length
    const markup = render(sampleContext, '<b>"\'{{7*7}}&')
    const long = render(sampleContext, 'x'.repeat(10_000))
    const header = render(sampleContext, 'Ada\r\nBcc evil\r\n\r\n<p>')

    assert.doesNotMatch(markup.html, /<b>|49/)
    assert.ok(long.html.length <= plain + 80 * 3)
    assert.doesNotMatch(header.subject, /[\r\n]|evil/)
    assert.doesNotMatch(header.text, /^Bcc|\r/m)
    assert.equal(header.text.split('\n').length, render(sampleContext, 'Ada').text.split('\n').length)
  })
}

function assertSameWords(mail: RenderedMail): void {
  const shown = readable(mail.html)
  for (const line of mail.text.split('\n').filter((line) => !['', '-- '].includes(line))) {
    assert.ok(shown.includes(line.replace(/:$/, '')), line)
  }
}

/** Returns the instant that an English expiry names. */
function endOf(expiry: string): number {
  const [, date = '', time = ''] = /, on \w+, (.*) at (.*) UTC$/.exec(expiry) ?? []
  return Date.parse(`${date} ${time} UTC`)
}

/** Returns the lines that two emails have in common, except links. */
function sharedLines(text: string, other: string): readonly string[] {
  const known = new Set(other.split('\n').filter((line) => !/^(?:|-- |https?:.*)$/.test(line)))
  return text.split('\n').filter((line) => known.has(line))
}

function hrefs(markup: string): readonly string[] {
  return [...markup.matchAll(/href="([^"]*)"/g)].map((match) => unescaped(match[1] ?? ''))
}

function readable(markup: string): string {
  const body = markup.slice(markup.indexOf('<body'))
  return unescaped(body.replace(/<[^>]*>/g, ''))
}

function unescaped(text: string): string {
  return text.replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)))
}
