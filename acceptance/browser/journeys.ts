import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import type { BrowserContextOptions } from 'playwright-core'
import { directionOf, type Language } from '../../packages/gatelodge/src/kernel/languages.ts'
import { openBrowser, type Sitting } from '../../packages/gatelodge/test/support/browser.ts'
import { browser, password, picture, site, wide } from './fixture.ts'
import { assertTold, focused, register, signIn, signUp, widthOf } from './page.ts'

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
    await using here = await openBrowser(browser, site, options)
    const email = `journey-${language}@example.org`
    await signUpAndIn(here, email, language)
    await changeProfileAndPicture(here)
    await changeAddressAndUndo(here, email, options)
    await changePassword(here, 'louder harbour 53')
    await takeBack(here, email, options, 'safer harbour 55')
    await signIn(here, email, 'safer harbour 55')
    await resetElsewhere(here, email, options, 'calmer harbour 54')
    await signIn(here, email, 'calmer harbour 54')
    await endSessionElsewhere(here, email, options, 'calmer harbour 54')
    await exportAndDelete(here, email, 'calmer harbour 54')
    here.assertClean()
  })
}

test('a sign-up is confirmed in another browser with the password that was chosen, and only with it', async () => {
  await using here = await openBrowser(browser, site)
  await register(here, 'elsewhere@example.org')
  await using there = await openBrowser(browser, site, { javaScriptEnabled: false })
  await there.page.goto(await site.linkTo('elsewhere@example.org', '/verify-email'))
  await there.send('/verify-email', { password: 'not the one' })
  assert.equal(await there.page.locator('[role=alert]').count(), 1)
  assert.equal(await focused(there.page), 'password')
  await there.send('/verify-email', { password })
  assert.equal(there.path(), '/login')
  await signIn(there, 'elsewhere@example.org', password)
  there.assertClean()
})

async function signUpAndIn(here: Sitting, email: string, language: Language): Promise<void> {
  await signUp(here, email)
  const mail = await site.mailTo(email, '/verify-email')
  assert.ok(mail.parsed.html?.includes(`<html lang="${language}" dir="${directionOf(language)}">`))
  await signIn(here, email, password)
}

async function changeProfileAndPicture(here: Sitting): Promise<void> {
  await here.send('/account', { first_name: 'Grace', username: '', birth_date: '1906-12-09' })
  await assertTold(here)
  assert.equal(await here.page.locator('#field-birth_date').inputValue(), '1906-12-09')
  await here.send('/account/avatar', { avatar: picture })
  await assertTold(here)
  assert.equal(await widthOf(here.page, 'img.avatar'), 320)
}

async function changeAddressAndUndo(here: Sitting, email: string, options: BrowserContextOptions): Promise<void> {
  const other = `new-${email}`
  await here.send('/account/email', { new_email: other, password })
  await assertTold(here)
  await here.page.goto(await site.linkTo(other, '/change-email'))
  await here.send('/change-email')
  assert.equal(here.path(), '/account')
  assert.ok((await here.page.textContent('main'))?.includes(other))

  await using there = await openBrowser(browser, site, options)
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

/** Reports "this wasn't me" through the link of a notice, and opens the account again with the link that follows. */
async function takeBack(here: Sitting, email: string, options: BrowserContextOptions, chosen: string): Promise<void> {
  await using there = await openBrowser(browser, site, options)
  await there.page.goto(await site.linkTo(email, '/security/undo'))
  assert.equal(there.path(), '/security/undo')
  const link = await site.nextLinkTo(email, '/reset-password', async () => {
    await there.send('/security/undo')
    assert.equal(there.path(), '/login')
    await assertTold(there)
  })
  await here.open('/account')
  assert.equal(here.path(), '/login?next=%2Faccount', 'every session has ended')
  await there.page.goto(link)
  await there.send('/reset-password', { new_password: chosen, password_confirmation: chosen })
  assert.equal(there.path(), '/login')
  await assertTold(there)
  there.assertClean()
}

async function resetElsewhere(
  here: Sitting,
  email: string,
  options: BrowserContextOptions,
  chosen: string,
): Promise<void> {
  await here.open('/logout')
  await here.send('/logout')
  await here.open('/forgot-password')
  const link = await site.nextLinkTo(email, '/reset-password', async () => {
    await here.send('/forgot-password', { email })
    assert.equal(here.path(), '/login')
  })
  await using there = await openBrowser(browser, site, options)
  await there.page.goto(link)
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
  await using there = await openBrowser(browser, site, options)
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
