import assert from 'node:assert/strict'
import { test } from 'node:test'
import { layoutShift, openBrowser, openSite, seriousFaults } from '../packages/gatelodge/test/support/browser.ts'
import './browser/journeys.ts'
import './browser/walk.ts'
import './browser/keyboard.ts'
import './browser/enhancements.ts'
import './browser/plain-http.ts'
import { browser, narrow, password, site, wide } from './browser/fixture.ts'
import { focused } from './browser/page.ts'

// The hosted pages of a server with a real inbox, used in a real browser.

test('errors in a form are announced and focused, with and without JavaScript', async () => {
  for (const javaScriptEnabled of [true, false]) {
    await using here = await openBrowser(browser, site, { javaScriptEnabled })
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
    await using here = await openBrowser(browser, site, { viewport })
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
  await using here = await openBrowser(browser, themed)
  await here.open('/login')
  const color = () =>
    here.page.evaluate<string>('getComputedStyle(document.querySelector("form .button")).backgroundColor')
  assert.equal(await color(), 'rgb(107, 47, 160)')
  await here.page.emulateMedia({ colorScheme: 'dark' })
  assert.notEqual(await color(), 'rgb(107, 47, 160)')
  assert.deepEqual(await seriousFaults(here.page), [])
  here.assertClean()
})
