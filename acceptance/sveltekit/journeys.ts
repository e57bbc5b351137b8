import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openBrowser } from '../../packages/gatelodge/test/support/browser.ts'
import { until } from '../../packages/gatelodge/test/support/until.ts'
import { browser, picture, sessionCookie, signedIn, site } from './fixture.ts'
import { assertFault, fill, password, press, register, signIn, told, widthOf } from './page.ts'

test('a person signs up, confirms by the mailed link and signs in on the way to where they were going', async () => {
  await using here = await openBrowser(browser, site, { viewport: { width: 1280, height: 800 } })
  await register(here, 'ada@example.org')
  assert.equal(await here.page.locator('a[href="/verify-email/resend"]').count(), 1)
  await here.page.goto(await site.linkTo('ada@example.org', '/verify-email'))
  await press(here.page, 'Confirm my address')
  await here.page.locator('main a.button[href="/login"]').waitFor()

  await here.open('/account')
  assert.equal(here.path(), '/login?next=%2Faccount')
  await signIn(here, 'ada@example.org', password, '/account')
  const cookies = await here.page.context().cookies()
  assert.deepEqual(
    cookies.filter(({ name, httpOnly }) => name === 'gatelodge' && httpOnly).map(({ sameSite }) => sameSite),
    ['Lax'],
  )
  const held = await here.page.evaluate<string>('document.cookie + JSON.stringify([localStorage, sessionStorage])')
  assert.equal(held.includes((await sessionCookie(here)).slice('gatelodge='.length)), false)

  for (const path of ['/login', '/register', '/login?next=/account']) {
    await here.open(path)
    assert.equal(here.path(), path.includes('next') ? '/account' : '/', path)
  }
  here.assertClean()
})

test('a profile is edited in a dialog, and a picture is looked at before it is sent, shown and removed', async () => {
  await using here = await signedIn('profile@example.org')
  const { page } = here
  await press(page, 'Edit the profile')
  assert.equal(await page.evaluate('document.querySelector("dialog[open]").contains(document.activeElement)'), true)
  await page.keyboard.press('Escape')
  assert.equal(await page.locator('dialog[open]').count(), 0)
  await press(page, 'Edit the profile')
  await fill(page, {
    first_name: 'Grace',
    last_name: 'Hopper',
    username: 'amazing',
    'profile.birth_date': '1906-12-09',
  })
  await press(page, 'Save')
  await told(page)
  assert.equal(await page.locator('dialog[open]').count(), 0)
  assert.deepEqual(await page.locator('.facts dd').allTextContents(), [
    'Grace Hopper',
    'amazing',
    '—',
    '—',
    '—',
    '1906-12-09',
  ])
  assert.equal(await page.locator('header .me').innerText(), 'GH\nGrace Hopper')
  await press(page, 'Edit the profile')
  assert.equal(await page.locator('[name="profile.birth_date"]').inputValue(), '1906-12-09')
  await press(page, 'Cancel')

  let uploads = 0
  page.on('request', (request) => {
    if (request.method() === 'PUT') uploads += 1
  })
  await page.setInputFiles('[name=avatar]', picture)
  await until(async () => (await widthOf(page, '.picture img')) === 300)
  assert.match((await page.getAttribute('.picture img', 'src')) ?? '', /^blob:/)
  await page.locator('.picture').getByRole('button', { name: 'Cancel' }).click()
  await page.locator('.picture span.avatar').waitFor()
  await page.setInputFiles('[name=avatar]', picture)
  await page.locator('.picture img').waitFor()
  assert.equal(uploads, 0)
  await press(page, 'Use this picture')
  await told(page)
  await until(async () => (await widthOf(page, '.picture img')) === 320)
  await until(async () => (await widthOf(page, 'header .me img')) === 96)
  assert.match((await page.getAttribute('.picture img', 'src')) ?? '', /^\/avatars\//)
  await press(page, 'Remove the picture')
  await told(page)
  assert.deepEqual([await page.locator('.picture img, .me img').count(), uploads], [0, 1])
  here.assertClean()
})

test('a new password ends the other sessions, and one of them is ended from the list', async () => {
  await using here = await signedIn('sessions@example.org')
  await using there = await openBrowser(browser, site)
  await there.open('/login')
  await signIn(there, 'sessions@example.org', password, '/')

  await fill(here.page, {
    old_password: password,
    new_password: 'louder harbour 53',
    password_confirmation: 'louder harbour 53',
  })
  await press(here.page, 'Change the password')
  await told(here.page)
  await there.open('/account')
  assert.equal(there.path(), '/login?next=%2Faccount')
  await signIn(there, 'sessions@example.org', 'louder harbour 53', '/account')

  await here.open('/.well-known/change-password')
  assert.equal(new URL(here.page.url()).hash, '#password')
  await here.open('/account/sessions')
  assert.equal(new URL(here.page.url()).hash, '#sessions')
  await here.page.locator('.rows li').nth(1).waitFor()
  assert.equal(await here.page.locator('.tag').count(), 1)
  await press(here.page, 'End')
  await told(here.page)
  assert.equal(await here.page.locator('.rows li').count(), 1)
  await there.page.locator('header .brand').click()
  await there.page.locator('header a[href="/login"]').waitFor()
  here.assertClean()
  there.assertClean()
})

test('emailed links change an address, restore the previous one, and reset a forgotten password', async () => {
  const [old, other] = ['old@example.org', 'new@example.org']
  await using here = await signedIn(old)
  await fill(here.page, { new_email: other, password })
  await press(here.page, 'Change the address')
  await told(here.page)
  await here.page.goto(await site.linkTo(other, '/change-email'))
  await press(here.page, 'Confirm this address')
  await here.page.waitForURL('**/account')
  await told(here.page)
  assert.equal(await here.page.locator('section[aria-labelledby=email] strong').innerText(), other)

  await using there = await openBrowser(browser, site)
  await there.page.goto(await site.linkTo(old, '/change-email/undo'))
  await press(there.page, 'Undo the change')
  await there.page.waitForURL('**/login')
  await told(there.page)
  await here.open('/account')
  assert.equal(here.path(), '/login?next=%2Faccount', 'the undo ends every session')
  await there.page.goto(await site.linkTo(old, '/change-email/undo'))
  await press(there.page, 'Undo the change')
  await there.page.locator('main [role=alert]').waitFor()

  await here.open('/forgot-password')
  await site.linkTo(old, '/reset-password') // the link of the undo comes first
  await fill(here.page, { email: old })
  const link = await site.nextLinkTo(old, '/reset-password', () => press(here.page, 'Send the link'))
  await here.page.waitForURL('**/login')
  await told(here.page)
  await there.page.goto(link)
  await fill(there.page, { new_password: 'calmer harbour 54', password_confirmation: 'calmer harbour 54' })
  await press(there.page, 'Save the new password')
  await there.page.waitForURL('**/login')
  await told(there.page)
  await signIn(there, old, 'calmer harbour 54', '/')

  await here.page.goto(link)
  await fill(here.page, { new_password: password, password_confirmation: password })
  await press(here.page, 'Save the new password')
  await here.page.locator('main [role=alert] a[href="/forgot-password"]').waitFor()
  here.assertClean(/^400 .*\/reset-password$/)
  there.assertClean(/^400 .*\/change-email\/undo$/)
})

test('a fresh link replaces the one that did not arrive, and asks for the password in another browser', async () => {
  await using here = await openBrowser(browser, site)
  await register(here, 'patient@example.org')
  const first = await site.linkTo('patient@example.org', '/verify-email')
  await here.page.click('main a[href="/verify-email/resend"]')
  await fill(here.page, { email: 'patient@example.org' })
  const second = await site.nextLinkTo('patient@example.org', '/verify-email', () => press(here.page, 'Send the link'))
  await here.page.waitForURL('**/verify-email')
  await told(here.page)
  await here.page.goto(first)
  await press(here.page, 'Confirm my address')
  await here.page.locator('main [role=alert] a[href="/verify-email/resend"]').waitFor()

  await using there = await openBrowser(browser, site)
  await there.page.goto(second)
  await press(there.page, 'Confirm my address')
  await assertFault(there.page, 'password')
  await fill(there.page, { password: 'not the one' })
  await press(there.page, 'Confirm my address')
  await assertFault(there.page, 'password')
  await fill(there.page, { password })
  await press(there.page, 'Confirm my address')
  await there.page.locator('main a.button[href="/login"]').click()
  await signIn(there, 'patient@example.org', password, '/')
  here.assertClean(/^400 .*\/verify-email$/)
  there.assertClean(/^400 .*\/verify-email$/)
})

test('signing out or in takes effect in every tab', async () => {
  await using here = await signedIn('tabs@example.org')
  const other = await here.page.context().newPage()
  await other.goto('/account')
  await other.getByRole('button', { name: 'Edit the profile' }).waitFor()
  await press(here.page, 'Sign out')
  await here.page.waitForURL(`${site.origin}/`)
  await told(here.page)
  await other.waitForURL('**/login?next=%2Faccount')
  await here.open('/account')
  assert.equal(here.path(), '/login?next=%2Faccount')

  await signIn(here, 'tabs@example.org', password, '/account')
  await other.waitForURL('**/account')
  await here.open('/logout')
  await here.page.locator('main').getByRole('button', { name: 'Sign out' }).click()
  await here.page.waitForURL(`${site.origin}/`)
  await here.open('/logout')
  assert.equal(here.path(), '/')
  here.assertClean()
})

test('`next` never leads a visitor to another site', async () => {
  const strange = [
    'https://evil.example/',
    '//evil.example/',
    '/\\evil.example/',
    '\\\\evil.example/',
    '/\t/evil.example/',
    '/.//evil.example/',
    '/x/..//evil.example/',
    '/%2e//evil.example/',
    'javascript:alert(1)',
    'evil.example',
    ' /account',
    '@evil.example/',
    `${site.origin}.evil.example/`,
    '',
  ]
  await using here = await signedIn('next@example.org')
  const cookie = await sessionCookie(here)
  const leadsTo = async (next: string) => {
    const url = `${site.origin}/login?next=${encodeURIComponent(next)}`
    const { status, headers } = await fetch(url, { headers: { cookie }, redirect: 'manual' })
    return [status, headers.get('location')]
  }
  for (const next of strange) assert.deepEqual(await leadsTo(next), [303, '/'], next)
  for (const next of ['/account', '/account?a=1&b=2#email']) assert.deepEqual(await leadsTo(next), [303, next])

  await press(here.page, 'Sign out')
  await here.page.waitForURL(`${site.origin}/`)
  for (const next of ['https://evil.example/', '/.//evil.example/', '"><b>marked</b>']) {
    await here.open(`/login?next=${encodeURIComponent(next)}`)
    assert.equal((await here.page.content()).includes('marked'), false, 'nothing of the address is shown')
    await signIn(here, 'next@example.org', password, '/')
    await press(here.page, 'Sign out')
    await here.page.locator('header a[href="/login"]').waitFor()
  }
  here.assertClean()
})
