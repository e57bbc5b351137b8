import assert from 'node:assert/strict'
import type { Page } from 'playwright-core'
import type { Sitting } from '../../packages/gatelodge/test/support/browser.ts'

export const password = 'quiet harbour 52'

/** Signs up on the page. */
export async function register(here: Sitting, email: string): Promise<void> {
  await here.open('/register')
  await fill(here.page, { email, first_name: 'Ada', last_name: 'Lovelace', password, password_confirmation: password })
  await press(here.page, 'Create account')
  await here.page.waitForURL('**/verify-email')
}

/** Signs in on the open page, and waits until it redirects to a path. */
export async function signIn(here: Sitting, identifier: string, secret: string, path: string): Promise<void> {
  await fill(here.page, { identifier, password: secret })
  await press(here.page, 'Sign in')
  await here.page.waitForURL(({ pathname, search }) => pathname + search === path)
}

export async function fill(page: Page, values: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, value] of Object.entries(values)) await page.locator(`[name="${name}"]`).fill(value)
}

export function press(page: Page, name: string): Promise<void> {
  return page.getByRole('button', { name, exact: true }).click()
}

/** Blocks a page's request until the returned function is called. */
export async function holdBack(page: Page, url: string): Promise<() => void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  await page.route(url, async (route) => {
    await promise
    await route.continue()
  })
  return resolve
}

/** Presses Tab until an element has the focus, which must be visible, then presses a key. */
export async function pressTo(page: Page, selector: string, key: string): Promise<void> {
  const isThere = `document.activeElement.matches(${JSON.stringify(selector)})`
  for (let presses = 0; !(await page.evaluate<boolean>(isThere)); presses += 1) {
    assert.ok(presses < 60, `Tab does not lead to ${selector}`)
    await page.keyboard.press('Tab')
  }
  assert.notEqual(await page.evaluate('getComputedStyle(document.activeElement).outlineStyle'), 'none', selector)
  await page.keyboard.press(key)
}

export async function typeInto(page: Page, values: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, value] of Object.entries(values)) {
    await pressTo(page, `[name="${name}"]`, 'ControlOrMeta+a')
    await page.keyboard.type(value)
  }
}

/** Asserts that one outcome is shown and announced, and disappears when dismissed. */
export async function told(page: Page): Promise<void> {
  const toast = page.locator('[role=status] .toast')
  await toast.waitFor()
  assert.equal(await toast.count(), 1)
  await press(page, 'Dismiss')
  await toast.waitFor({ state: 'detached' })
}

/** Asserts that the message about a field is announced with it, and that the field has the focus. */
export async function assertFault(page: Page, name: string): Promise<void> {
  await page.locator(`[name="${name}"]:focus`).waitFor()
  const field = page.locator(`[name="${name}"]`)
  assert.equal(await field.getAttribute('aria-invalid'), 'true', name)
  const [fault = ''] = ((await field.getAttribute('aria-describedby')) ?? '').split(' ')
  assert.match(fault, /-fault$/)
  assert.ok((await page.locator(`[id="${fault}"]`).innerText()).length > 5, name)
  assert.equal(await page.locator(`form:has([name="${name}"]) [role=alert]`).count(), 1)
}

/** Returns the width of a picture in pixels; undefined until it is loaded. */
export function widthOf(page: Page, selector: string): Promise<number | undefined> {
  return page.evaluate<number | undefined>(`document.querySelector(${JSON.stringify(selector)})?.naturalWidth`)
}
