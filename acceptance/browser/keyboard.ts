import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import { openBrowser, type Sitting } from '../../packages/gatelodge/test/support/browser.ts'
import { browser, password, picture, site, wide } from './fixture.ts'
import { assertRefused, pressOn, pressTo, sendByKeys, tabTo, typeInto } from './keys.ts'
import { assertTold, widthOf } from './page.ts'

test('every journey is made by keyboard alone; the focus is always seen, and is on the summary of what was refused', async () => {
  await using here = await openBrowser(browser, site, { viewport: wide, locale: 'en-US' })
  here.page.on('filechooser', () => {}) // registered early: a listener added just before the key is pressed may come too late
  await signUp(here, 'keys@example.org')
  await signIn(here, 'keys@example.org', password)
  await changeProfile(here)
  await changePicture(here)
  await changeAddress(here, 'keys@example.net')
  await changePassword(here, 'louder harbour 53')
  await makeAndRevokeToken(here)
  await endOtherSessions(here, 'keys@example.net', 'louder harbour 53')
  await chooseLanguage(here)
  await resetForgotten(here, 'keys@example.net', 'calmer harbour 54')
  await signIn(here, 'keys@example.net', 'calmer harbour 54')
  await exportAndDelete(here, 'keys@example.net', 'calmer harbour 54')
  here.assertClean()
})

async function signUp(here: Sitting, email: string): Promise<void> {
  const { page } = here
  await here.open('/login')
  await pressOn(page, 'a[href="/register"]')
  await sendByKeys(page, '/register', { email, password, password_confirmation: 'another one 99' })
  await assertRefused(page, 'password_confirmation')

  await typeInto(page, '/register', { password })
  await pressTo(page, '#field-password ~ .reveal', 'Space')
  assert.equal(await page.locator('#field-password').getAttribute('type'), 'text')
  await sendByKeys(page, '/register', { password_confirmation: password })
  assert.equal(here.path(), '/verify-email')

  await page.goto(await site.linkTo(email, '/verify-email'))
  await pressOn(page, 'form[action="/verify-email"] > button', 'Space')
  assert.equal(here.path(), '/login')
  await assertTold(here)
}

async function signIn(here: Sitting, identifier: string, secret: string): Promise<void> {
  const { page } = here
  await sendByKeys(page, '/login', { identifier, password: 'not the one' })
  await assertRefused(page)

  await typeInto(page, '/login', { password: secret })
  await pressTo(page, '#field-remember', 'Space')
  assert.equal(await page.locator('#field-remember').isChecked(), true)
  await pressOn(page, '#field-remember')
  assert.equal(here.path(), '/account')
}

async function changeProfile(here: Sitting): Promise<void> {
  const { page } = here
  await sendByKeys(page, '/account', { first_name: 'Grace', website: 'no address' })
  await assertRefused(page, 'website')
  await sendByKeys(page, '/account', { website: 'https://example.org' })
  await assertTold(here)
  assert.equal(await page.locator('#field-first_name').inputValue(), 'Grace')
}

async function changePicture(here: Sitting): Promise<void> {
  const { page } = here
  await choosePicture(page, 'Space')
  await sendByKeys(page, '/account/avatar')
  await assertTold(here)
  assert.equal(await widthOf(page, 'img.avatar'), 320)
  await sendByKeys(page, '/account/avatar/remove')
  await assertTold(here)
  assert.equal(await page.locator('img.avatar').count(), 0)

  await sendByKeys(page, '/account/avatar')
  await assertRefused(page, 'avatar')
  await choosePicture(page, 'Enter')
  await pressOn(page, '.places a[href="/account"]')
}

async function choosePicture(page: Page, key: 'Enter' | 'Space'): Promise<void> {
  await tabTo(page, '#field-avatar')
  const chooser = page.waitForEvent('filechooser')
  await page.keyboard.press(key)
  await (await chooser).setFiles(picture)
}

async function changeAddress(here: Sitting, email: string): Promise<void> {
  const { page } = here
  await sendByKeys(page, '/account/email', { new_email: email, password: 'not the one' })
  await assertRefused(page, 'password')
  await sendByKeys(page, '/account/email', { password })
  await assertTold(here)
  await page.goto(await site.linkTo(email, '/change-email'))
  await sendByKeys(page, '/change-email')
  assert.equal(here.path(), '/account')
  assert.ok((await page.textContent('main'))?.includes(email))
}

async function changePassword(here: Sitting, chosen: string): Promise<void> {
  const { page } = here
  const asked = { old_password: password, new_password: chosen }
  await sendByKeys(page, '/account/password', { ...asked, password_confirmation: 'another one 99' })
  await assertRefused(page, 'password_confirmation')
  await sendByKeys(page, '/account/password', { ...asked, password_confirmation: chosen })
  assert.equal(here.path(), '/account')
  await assertTold(here)
}

async function makeAndRevokeToken(here: Sitting): Promise<void> {
  const { page } = here
  await pressOn(page, '.places a[href="/account/tokens"]')
  await sendByKeys(page, '/account/tokens/new', { scopes: 'files:read' })
  await assertRefused(page, 'name')
  await sendByKeys(page, '/account/tokens/new', { name: 'backup script' })
  assert.equal(here.path(), '/account/tokens')
  const token = (await page.textContent('.flash[role=status] .copy')) ?? ''
  const asked = () => fetch(`${site.origin}/api/v1/auth/validate`, { headers: { authorization: `Bearer ${token}` } })
  assert.equal((await asked()).status, 200)
  await sendByKeys(page, '/account/tokens/revoke')
  await assertTold(here)
  assert.equal(await page.locator('.row').count(), 0)
  assert.equal((await asked()).status, 401)
}

async function endOtherSessions(here: Sitting, identifier: string, secret: string): Promise<void> {
  const { page } = here
  await using there = await openBrowser(browser, site)
  await there.open('/login')
  await there.send('/login', { identifier, password: secret })
  await pressOn(page, '.places a[href="/account/sessions"]')
  assert.equal(await page.locator('.row').count(), 2)
  await sendByKeys(page, '/account/sessions/end')
  await assertTold(here)
  assert.equal(await page.locator('.row').count(), 1)
}

async function chooseLanguage(here: Sitting): Promise<void> {
  const { page } = here
  await pressOn(page, 'button[lang=ar]')
  assert.equal(await page.locator('html[lang=ar][dir=rtl]').count(), 1)
  assert.equal(here.path(), '/account/sessions')
  await pressOn(page, 'button[lang=en]', 'Space')
  assert.equal(await page.locator('html[lang=en][dir=ltr]').count(), 1)
}

async function resetForgotten(here: Sitting, email: string, chosen: string): Promise<void> {
  const { page } = here
  await pressOn(page, '.site-nav a[href="/logout"]')
  await sendByKeys(page, '/logout')
  await pressOn(page, 'a[href="/forgot-password"]')
  await sendByKeys(page, '/forgot-password', { email: 'no address' })
  await assertRefused(page, 'email')
  const link = await site.nextLinkTo(email, '/reset-password', () => sendByKeys(page, '/forgot-password', { email }))
  assert.equal(here.path(), '/login')
  await assertTold(here)

  await page.goto(link)
  await sendByKeys(page, '/reset-password', { new_password: 'short', password_confirmation: 'short' })
  await assertRefused(page, 'new_password')
  await sendByKeys(page, '/reset-password', { new_password: chosen, password_confirmation: chosen })
  assert.equal(here.path(), '/login')
  await assertTold(here)
}

async function exportAndDelete(here: Sitting, email: string, secret: string): Promise<void> {
  const { page } = here
  await pressOn(page, '.places a[href="/account/data"]')
  await tabTo(page, 'form[action="/account/data/export"] > button')
  const download = page.waitForEvent('download')
  await page.keyboard.press('Enter')
  assert.ok(readFileSync(await (await download).path(), 'utf8').includes(email))
  await tabTo(page, 'form[action="/account/data/export"] > button')

  await pressTo(page, 'summary', 'Enter')
  assert.equal(await page.locator('details[open] .row').first().isVisible(), true)
  await sendByKeys(page, '/account/data/delete', { password: 'not the one' })
  await assertRefused(page, 'password')
  await sendByKeys(page, '/account/data/delete', { password: secret })
  assert.equal(here.path(), '/login')
  await assertTold(here)
  await sendByKeys(page, '/login', { identifier: email, password: secret })
  await assertRefused(page)
}
