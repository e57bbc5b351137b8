import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { pages } from '../packages/gatelodge/src/flows/index.ts'
import { directionOf, type Language, languages } from '../packages/gatelodge/src/kernel/languages.ts'
import { pageWords } from '../packages/gatelodge/src/pages/words/index.ts'
import {
  layoutShift,
  openBrowser,
  openSite,
  type Site,
  type Sitting,
  seriousFaults,
  sitDown,
} from '../packages/gatelodge/test/support/browser.ts'
import { everyPage, type Stop, stops, untilRateLimited } from '../packages/gatelodge/test/support/every-page.ts'
import { plain } from '../packages/gatelodge/test/support/images.ts'

const password = 'quiet harbour 52'
const wide = { width: 1280, height: 800 }
const narrow = { width: 320, height: 640 }

let browser: Browser
let site: Site

before(async () => {
  browser = await openBrowser()
  // Many people from one address, as none should be.
  site = await openSite({ GATELODGE_RATE_LIMITS: 'off' })
  await plain(300, 200).png().toFile(join(site.folder.path, 'me.png'))
})

after(async () => {
  await browser.close()
  await site[Symbol.asyncDispose]()
})

const ways: readonly (readonly [string, Language, BrowserContextOptions])[] = [
  ['with JavaScript, in English, 1280 px wide', 'en', { viewport: wide, locale: 'en-US' }],
  [
    'without JavaScript, in Arabic, 360 px wide',
    'ar',
    { viewport: { width: 360, height: 640 }, locale: 'ar', javaScriptEnabled: false },
  ],
]

for (const [way, language, options] of ways) {
  test(`every journey from the sign-up to the deletion: ${way}`, async () => {
    await using here = await sitDown(browser, site, options)
    const email = `journey-${language}@example.org`
    await signUpAndIn(here, email, language)
    await changeProfileAndPicture(here)
    await changeAddressAndUndo(here, email, options)
    await changePassword(here, 'louder harbour 53')
    await resetElsewhere(here, email, options, 'calmer harbour 54')
    await signIn(here, email, 'calmer harbour 54')
    await endSessionElsewhere(here, email, options, 'calmer harbour 54')
    await exportAndDelete(here, email, 'calmer harbour 54')
    here.assertClean()
  })
}

test('a sign-up is confirmed in another browser with the password that was chosen, and only with it', async () => {
  await using here = await sitDown(browser, site)
  await register(here, 'elsewhere@example.org')
  await using there = await sitDown(browser, site, { javaScriptEnabled: false })
  await there.page.goto(await site.linkTo('elsewhere@example.org', '/verify-email'))
  await there.send('/verify-email', { password: 'not the one' })
  assert.equal(await there.page.locator('[role=alert]').count(), 1)
  assert.equal(await focused(there.page), 'password')
  await there.send('/verify-email', { password })
  assert.equal(there.path(), '/login')
  await signIn(there, 'elsewhere@example.org', password)
  there.assertClean()
})

for (const language of languages) {
  test(`every page in "${language}" speaks it, fits 320 px, stays still and passes axe in light and dark`, async () => {
    await using here = await sitDown(browser, site, { viewport: narrow, locale: language })
    const seen: Stop[] = []
    for await (const stop of everyPage(here, site, `walker-${language}`)) {
      seen.push(stop)
      await assertSound(here.page, language, stop)
    }
    assert.deepEqual(seen, stops)
    here.assertClean()

    await using limited = await openSite()
    await using hasty = await sitDown(browser, limited, { viewport: narrow, locale: language })
    await untilRateLimited(hasty)
    await assertSound(hasty.page, language, 'rate-limited')
    hasty.assertClean()
  })
}

test('the walk over every page knows every page of the route table', async () => {
  await using here = await sitDown(browser, site)
  const seen = new Set<string>()
  here.page.on('request', (request) => {
    if (request.resourceType() === 'document') seen.add(new URL(request.url()).pathname)
  })
  for await (const _ of everyPage(here, site, 'cartographer')) {
  }
  const shown = pages.filter(({ method, answers }) => method === 'GET' && 200 in answers).map(({ path }) => path)
  assert.ok(shown.length > 12)
  assert.deepEqual(
    shown.filter((path) => !seen.has(path)),
    [],
  )
})

test('sign-up, sign-in and account are used by keyboard alone, and the focus is always seen', async () => {
  await using here = await sitDown(browser, site, { viewport: wide, locale: 'en-US' })
  const { page } = here
  const email = 'keys@example.org'
  await here.open('/login')
  await pressTo(page, 'a[href="/register"]', 'Enter')
  await page.waitForURL('**/register')
  await typeInto(page, 'email', email)
  await typeInto(page, 'password', password)
  await pressTo(page, '#field-password ~ .reveal', 'Space')
  assert.equal(await page.locator('#field-password').getAttribute('type'), 'text')
  await typeInto(page, 'password_confirmation', password)
  await pressTo(page, 'form[action="/register"] > button', 'Enter')
  await page.waitForURL('**/verify-email')

  await page.goto(await site.linkTo(email, '/verify-email'))
  await pressTo(page, 'form[action="/verify-email"] > button', 'Space')
  await page.waitForURL('**/login')
  await typeInto(page, 'identifier', email)
  await typeInto(page, 'password', password)
  await pressTo(page, '#field-remember', 'Space')
  assert.equal(await page.locator('#field-remember').isChecked(), true)
  await page.keyboard.press('Enter')
  await page.waitForURL('**/account')

  await typeInto(page, 'first_name', 'Grace')
  await pressTo(page, 'form[action="/account"] > button', 'Enter')
  await page.waitForSelector('[role=status]')
  assert.equal(await page.locator('#field-first_name').inputValue(), 'Grace')
  await pressTo(page, 'a[href="/account/sessions"]', 'Enter')
  await page.waitForURL('**/account/sessions')
  await pressTo(page, 'a[href="/logout"]', 'Enter')
  await page.waitForURL('**/logout')
  await pressTo(page, 'form[action="/logout"] > button', 'Enter')
  await page.waitForURL('**/login')
  await pressTo(page, 'button[lang=fr]', 'Enter')
  await page.waitForSelector('html[lang=fr]')
  here.assertClean()
})

test('what is wrong with a form is announced and focused, with and without JavaScript', async () => {
  for (const javaScriptEnabled of [true, false]) {
    await using here = await sitDown(browser, site, { javaScriptEnabled })
    await here.open('/register')
    await here.send('/register', { email: 'a@example.org', password, password_confirmation: 'another one 99' })
    const { page } = here
    assert.equal(await page.locator('.errors[role=alert] a[href="#field-password_confirmation"]').count(), 1)
    assert.equal(await focused(page), javaScriptEnabled ? 'alert' : 'password_confirmation')
    const field = page.locator('#field-password_confirmation')
    assert.equal(await field.getAttribute('aria-invalid'), 'true')
    const described = await field.getAttribute('aria-describedby')
    assert.ok((await page.locator(`#${described?.split(' ')[0]}`).textContent())?.length)
    assert.deepEqual(
      [await page.locator('#field-email').inputValue(), await page.locator('#field-password').inputValue()],
      ['a@example.org', ''],
    )
    here.assertClean()
  }
})

test('the sign-in page is under 15 kB, everything as transferred, and does not move as it loads', async () => {
  for (const viewport of [wide, narrow]) {
    await using here = await sitDown(browser, site, { viewport })
    const asked: Promise<number>[] = []
    here.page.on('requestfinished', (request) => {
      asked.push(
        request.sizes().then(({ responseHeadersSize, responseBodySize }) => responseHeadersSize + responseBodySize),
      )
    })
    await here.open('/login')
    assert.equal(await layoutShift(here.page), 0)
    const sizes = await Promise.all(asked)
    const bytes = sizes.reduce((sum, size) => sum + size, 0)
    assert.ok(sizes.length >= 3 && bytes < 15_000, `${sizes.length} answers of ${bytes} bytes`)
  }
})

test('the colours of an operator reach the buttons in light and dark', async () => {
  await using themed = await openSite({ GATELODGE_ACCENT: '#6b2fa0' })
  await using here = await sitDown(browser, themed)
  await here.open('/login')
  const color = () =>
    here.page.evaluate<string>('getComputedStyle(document.querySelector("form .button")).backgroundColor')
  assert.equal(await color(), 'rgb(107, 47, 160)')
  await here.page.emulateMedia({ colorScheme: 'dark' })
  assert.notEqual(await color(), 'rgb(107, 47, 160)')
  assert.deepEqual(await seriousFaults(here.page), [])
  here.assertClean()
})

async function register(here: Sitting, email: string): Promise<void> {
  await here.open('/register')
  await here.send('/register', { email, first_name: 'Ada', password, password_confirmation: password })
  assert.equal(here.path(), '/verify-email')
}

async function signUpAndIn(here: Sitting, email: string, language: Language): Promise<void> {
  await register(here, email)
  const mail = await site.mailTo(email, '/verify-email')
  assert.ok(mail.parsed.html?.includes(`<html lang="${language}" dir="${directionOf(language)}">`))
  await here.page.goto(await site.linkTo(email, '/verify-email'))
  assert.equal(here.path(), '/verify-email', 'the token left the address')
  await here.send('/verify-email')
  assert.equal(here.path(), '/login')
  await assertTold(here)
  await signIn(here, email, password)
}

async function signIn(here: Sitting, identifier: string, secret: string): Promise<void> {
  await here.open('/login')
  await here.send('/login', { identifier, password: secret, remember: 'on' })
  assert.equal(here.path(), '/account')
}

async function changeProfileAndPicture(here: Sitting): Promise<void> {
  await here.send('/account', { first_name: 'Grace', username: '', birth_date: '1906-12-09' })
  await assertTold(here)
  assert.equal(await here.page.locator('#field-birth_date').inputValue(), '1906-12-09')
  await here.send('/account/avatar', { avatar: join(site.folder.path, 'me.png') })
  await assertTold(here)
  assert.equal(await here.page.evaluate<number>('document.querySelector("img.avatar").naturalWidth'), 320)
}

async function changeAddressAndUndo(here: Sitting, email: string, options: BrowserContextOptions): Promise<void> {
  const other = `new-${email}`
  await here.send('/account/email', { new_email: other, password })
  await assertTold(here)
  await here.page.goto(await site.linkTo(other, '/change-email'))
  await here.send('/change-email')
  assert.equal(here.path(), '/account')
  assert.ok((await here.page.textContent('main'))?.includes(other))

  await using there = await sitDown(browser, site, options)
  await there.page.goto(await site.linkTo(email, '/change-email/undo'))
  await there.send('/change-email/undo')
  assert.equal(there.path(), '/login')
  await here.open('/account')
  assert.equal(here.path(), '/login?next=%2Faccount', 'the undo ends every session')
  await there.page.goto(await site.linkTo(email, '/reset-password'))
  await there.send('/reset-password', { new_password: password, password_confirmation: password })
  there.assertClean()
  await signIn(here, email, password)
}

async function changePassword(here: Sitting, chosen: string): Promise<void> {
  await here.open('/account/password')
  await here.send('/account/password', {
    old_password: password,
    new_password: chosen,
    password_confirmation: chosen,
  })
  assert.equal(here.path(), '/account')
  await assertTold(here)
}

async function resetElsewhere(
  here: Sitting,
  email: string,
  options: BrowserContextOptions,
  chosen: string,
): Promise<void> {
  const mails = site.inbox.received.length
  await here.open('/logout')
  await here.send('/logout')
  await here.open('/forgot-password')
  await here.send('/forgot-password', { email })
  assert.equal(here.path(), '/login')
  await until(() => site.inbox.received.slice(mails).some(({ parsed }) => parsed.text?.includes('/reset-password?')))
  await using there = await sitDown(browser, site, options)
  await there.page.goto(await site.linkTo(email, '/reset-password'))
  assert.equal(there.path(), '/reset-password')
  await there.send('/reset-password', { new_password: chosen, password_confirmation: chosen })
  assert.equal(there.path(), '/login')
  await assertTold(there)
  there.assertClean()
}

async function endSessionElsewhere(
  here: Sitting,
  email: string,
  options: BrowserContextOptions,
  secret: string,
): Promise<void> {
  await using there = await sitDown(browser, site, options)
  await signIn(there, email, secret)
  await here.open('/account/sessions')
  assert.equal(await here.page.locator('.row').count(), 2)
  await here.send('/account/sessions/end')
  assert.equal(await here.page.locator('.row').count(), 1)
  await there.open('/account')
  assert.equal(there.path(), '/login?next=%2Faccount')
}

async function exportAndDelete(here: Sitting, email: string, secret: string): Promise<void> {
  await here.open('/account/data')
  const download = here.page.waitForEvent('download')
  await here.page.locator('form[action="/account/data/export"] button').click()
  const data = JSON.parse(readFileSync(await (await download).path(), 'utf8')) as unknown
  assert.ok(JSON.stringify(data).includes(email))

  await here.open('/account/data')
  await here.send('/account/data/delete', { password: secret })
  assert.equal(here.path(), '/login')
  await assertTold(here)
  await here.send('/login', { identifier: email, password: secret })
  assert.equal(await here.page.locator('[role=alert]').count(), 1, 'the account is gone')
}

async function assertTold(here: Sitting): Promise<void> {
  assert.equal(await here.page.locator('.flash[role=status]').count(), 1, here.path())
}

async function assertSound(page: Page, language: Language, stop: string): Promise<void> {
  const name = `${stop} in ${language}`
  const [lang, dir, overflow, headings, text] = await page.evaluate<[string, string, number, number, string]>(
    `[document.documentElement.lang, document.documentElement.dir,
      document.documentElement.scrollWidth - innerWidth,
      document.querySelectorAll('h1').length, document.body.innerText]`,
  )
  assert.deepEqual([lang, dir, overflow, headings], [language, directionOf(language), 0, 1], name)
  assert.doesNotMatch(text, /undefined|null|NaN|\[object|\$\{/, name)
  assert.ok(text.includes(pageWords[language].layout.skip), name)
  assert.equal(await layoutShift(page), 0, name)
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme })
    assert.deepEqual(await seriousFaults(page), [], `${name}, ${colorScheme}`)
  }
}

/** The field that has the focus by name, else its role. */
function focused(page: Page): Promise<string> {
  return page.evaluate<string>('document.activeElement.name || document.activeElement.getAttribute("role")')
}

async function typeInto(page: Page, name: string, text: string): Promise<void> {
  await tabTo(page, `#field-${name}`)
  await page.keyboard.press('ControlOrMeta+A')
  await page.keyboard.type(text)
}

async function pressTo(page: Page, selector: string, key: 'Enter' | 'Space'): Promise<void> {
  await tabTo(page, selector)
  await page.keyboard.press(key)
}

async function tabTo(page: Page, selector: string): Promise<void> {
  for (let tabs = 0; tabs < 80; tabs += 1) {
    const [isThere, outline] = await page.evaluate<[boolean, string]>(
      `[document.activeElement.matches(${JSON.stringify(selector)}), getComputedStyle(document.activeElement).outlineStyle]`,
    )
    if (isThere) {
      assert.notEqual(outline, 'none', `the focus on ${selector} is seen`)
      return
    }
    await page.keyboard.press('Tab')
  }
  assert.fail(`no way to ${selector} by Tab`)
}

async function until(isTrue: () => boolean): Promise<void> {
  for (const giveUp = performance.now() + 20_000; !isTrue(); await new Promise((resolve) => setTimeout(resolve, 25)))
    assert.ok(performance.now() < giveUp, 'waited in vain')
}
