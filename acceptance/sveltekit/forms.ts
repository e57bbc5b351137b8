import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { openBrowser } from '../../packages/gatelodge/test/support/browser.ts'
import { browser, build, post, signedIn, site } from './fixture.ts'
import { assertFault, fill, holdBack, password, press, pressTo, typeInto } from './page.ts'

test('a faulty field is marked, announced and focused, and the page sends nothing that it knows to be wrong', async () => {
  await using here = await openBrowser(browser, site)
  const { page } = here
  const sent: string[] = []
  page.on('request', (request) => {
    if (request.url().includes('/api/')) sent.push(request.url())
  })
  await here.open('/register')
  await press(page, 'Create account')
  await assertFault(page, 'email')
  assert.equal(await page.locator('[aria-invalid=true]').count(), 3)
  await fill(page, { email: 'no address', password, password_confirmation: password })
  await press(page, 'Create account')
  await assertFault(page, 'email')
  await fill(page, { email: 'wrong@example.org', password_confirmation: 'another one 99' })
  await press(page, 'Create account')
  await assertFault(page, 'password_confirmation')
  assert.deepEqual(sent, [])
  for (const refused of ['short', 'password1', 'wrong@example.org']) {
    await fill(page, { password: refused, password_confirmation: refused })
    await press(page, 'Create account')
    await assertFault(page, 'password')
  }

  await here.open('/login')
  await fill(page, { identifier: 'wrong@example.org', password: 'wrong' })
  await press(page, 'Sign in')
  await page.locator('form [role=alert]:focus').waitFor()
  assert.equal(await page.locator('[aria-invalid=true]').count(), 0)
  here.assertClean(/^40[01] .*\/(?:signup|signin)$/)
})

test('a faulty field of the account page is marked, announced and focused', async () => {
  writeFileSync(join(build.path, 'text.png'), 'no picture')
  writeFileSync(join(build.path, 'large.png'), Buffer.alloc(5 * 1024 * 1024 + 1))
  await signedIn('other@example.org', { username: 'taken' }).then((other) => other[Symbol.asyncDispose]())
  await using here = await signedIn('faults@example.org')
  const { page } = here
  await press(page, 'Edit the profile')
  for (const [name, value] of [
    ['username', 'ab'],
    ['username', 'taken'],
    ['profile.phone_number', 'call me'],
    ['profile.website', 'javascript:alert(1)'],
    ['profile.birth_date', '2999-01-01'],
  ] as const) {
    await fill(page, { [name]: value })
    await press(page, 'Save')
    await assertFault(page, name)
    await fill(page, { [name]: '' })
  }
  await press(page, 'Cancel')

  await fill(page, {
    old_password: 'wrong',
    new_password: 'louder harbour 53',
    password_confirmation: 'louder harbour 53',
  })
  await press(page, 'Change the password')
  await assertFault(page, 'old_password')
  await fill(page, { new_email: 'faults@example.org', password })
  await press(page, 'Change the address')
  await assertFault(page, 'new_email')
  await fill(page, { new_email: 'else@example.org', password: 'wrong' })
  await press(page, 'Change the address')
  await assertFault(page, 'password')
  for (const file of ['text.png', 'large.png']) {
    await page.reload()
    await page.setInputFiles('[name=avatar]', join(build.path, file))
    await press(page, 'Use this picture')
    await assertFault(page, 'avatar')
  }
  here.assertClean(/^400 .*\/api\/v1\/auth\/(?:me(?:\/avatar)?|change-(?:password|email))$/)
})

test('a form is busy while its answer is awaited, and so is the page while the next one is', async () => {
  await using here = await openBrowser(browser, site)
  const { page } = here
  await here.open('/forgot-password')
  await fill(page, { email: 'nobody@example.org' })
  const answer = await holdBack(page, '**/api/v1/auth/forgot-password')
  await press(page, 'Send the link')
  await page.locator('form[aria-busy=true] button[type=submit]:disabled').waitFor()
  const next = await holdBack(page, '**/login/__data.json*')
  answer()
  await page.locator('[role=progressbar]').waitFor()
  next()
  await page.waitForURL('**/login')
  await page.locator('[role=progressbar]').waitFor({ state: 'detached' })
  here.assertClean()
})

test('everything is done by keyboard alone', async () => {
  await using here = await openBrowser(browser, site)
  const { page } = here
  await here.open('/register')
  await typeInto(page, { email: 'keys@example.org', password })
  await page.keyboard.press('Tab')
  await page.keyboard.press('Space')
  assert.equal(await page.getAttribute('[name=password]', 'type'), 'text')
  await typeInto(page, { password_confirmation: password })
  await page.keyboard.press('Enter')
  await page.waitForURL('**/verify-email')
  await page.goto(await site.linkTo('keys@example.org', '/verify-email'))
  await pressTo(page, 'main button[type=submit]', 'Space')
  await page.locator('main a.button').waitFor()
  await pressTo(page, 'main a.button', 'Enter')
  await page.waitForURL('**/login')
  await typeInto(page, { identifier: 'keys@example.org', password })
  await pressTo(page, '[name=remember]', 'Space')
  await page.keyboard.press('Enter')
  await page.waitForURL(`${site.origin}/`)
  await pressTo(page, 'header a[href="/account"]', 'Enter')
  await page.waitForURL('**/account')
  await pressTo(page, '#profile ~ button', 'Enter')
  await typeInto(page, { first_name: 'Keziah' })
  await page.keyboard.press('Enter')
  await page.locator('.toast').waitFor()
  assert.equal(await page.evaluate('document.activeElement.matches("#profile ~ button")'), true, 'the focus comes back')
  await pressTo(page, '.toast button', 'Enter')
  await page.locator('.toast').waitFor({ state: 'detached' })
  await pressTo(page, 'header nav button', 'Enter')
  await page.locator('header a[href="/login"]').waitFor()
  here.assertClean()
})

test('too many attempts are told with the time to wait', async () => {
  await using here = await openBrowser(browser, site)
  const body = { email: 'nobody@example.org' }
  await assert.rejects(async () => {
    for (let tries = 0; tries < 40; tries += 1) await post('forgot-password', body)
  })
  await here.open('/forgot-password')
  await fill(here.page, body)
  await press(here.page, 'Send the link')
  await here.page.locator('form [role=alert]:focus').waitFor()
  assert.match(await here.page.locator('form [role=alert]').innerText(), /\b[1-6]\d minutes\b/)
  here.assertClean(/^429 .*\/forgot-password$/)
})
