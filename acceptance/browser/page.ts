import assert from 'node:assert/strict'
import type { Page } from 'playwright-core'
import { type Sitting, seriousFaults } from '../../packages/gatelodge/test/support/browser.ts'
import { until } from '../../packages/gatelodge/test/support/until.ts'
import { password, site } from './fixture.ts'

/** Signs up on the page. */
export async function register(here: Sitting, email: string): Promise<void> {
  await here.open('/register')
  await here.send('/register', { email, first_name: 'Ada', password, password_confirmation: password })
  assert.equal(here.path(), '/verify-email')
}

/** Signs up and confirms the address, up to the sign-in page. */
export async function signUp(here: Sitting, email: string): Promise<void> {
  await register(here, email)
  await here.page.goto(await site.linkTo(email, '/verify-email'))
  assert.equal(here.path(), '/verify-email', 'the token left the address')
  await here.send('/verify-email')
  assert.equal(here.path(), '/login')
  await assertTold(here)
}

export async function signIn(here: Sitting, identifier: string, secret: string): Promise<void> {
  await here.open('/login')
  await here.send('/login', { identifier, password: secret, remember: 'on' })
  assert.equal(here.path(), '/account')
}

/** Asserts that the top of the page reports what was done. */
export async function assertTold(here: Sitting): Promise<void> {
  assert.equal(await here.page.locator('.flash[role=status]').count(), 1, here.path())
}

/** Asserts that the page fits the window, and passes axe in light and dark. */
export async function assertPasses(page: Page, name: string): Promise<void> {
  assert.equal(await page.evaluate('document.documentElement.scrollWidth - innerWidth'), 0, name)
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme })
    assert.deepEqual(await seriousFaults(page), [], `${name}, ${colorScheme}`)
  }
}

/** Returns the name of the focused field, otherwise its role. Browsers set the initial focus at the first paint, which may come after loading. */
export async function focused(page: Page): Promise<string> {
  await until(() => page.evaluate<boolean>('document.activeElement !== document.body'))
  return page.evaluate<string>('document.activeElement.name || document.activeElement.getAttribute("role")')
}

/** Returns the width of a picture in pixels. */
export function widthOf(page: Page, selector: string): Promise<number> {
  return page.evaluate<number>(`document.querySelector(${JSON.stringify(selector)}).naturalWidth`)
}
