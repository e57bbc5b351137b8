import assert from 'node:assert/strict'
import type { Page } from 'playwright-core'

type Key = 'Enter' | 'Space'

/** Presses Tab until an element has the focus. Asserts that every focus on the way is visible. */
export async function tabTo(page: Page, selector: string): Promise<void> {
  for (let tabs = 0; tabs < 80; tabs += 1) {
    if (await hasSeenFocus(page, selector)) return
    await page.keyboard.press('Tab')
  }
  assert.fail(`no way to ${selector} by Tab`)
}

export async function pressTo(page: Page, selector: string, key: Key): Promise<void> {
  await tabTo(page, selector)
  await page.keyboard.press(key)
}

/** Presses a key that leads to another page, and waits for that page. */
export async function pressOn(page: Page, selector: string, key: Key = 'Enter'): Promise<void> {
  await tabTo(page, selector)
  const next = page.waitForEvent('domcontentloaded')
  await page.keyboard.press(key)
  await next
  await page.waitForLoadState('load')
}

export async function typeInto(page: Page, action: string, values: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, value] of Object.entries(values)) {
    await tabTo(page, `form[action="${action}"] [name="${name}"]`)
    await page.keyboard.press('ControlOrMeta+A')
    await page.keyboard.type(value)
  }
}

/** Fills in the form with this action and submits it with its button. */
export async function sendByKeys(page: Page, action: string, values: Readonly<Record<string, string>> = {}) {
  await typeInto(page, action, values)
  await pressOn(page, `form[action="${action}"] > button[type=submit]`)
}

/** Asserts that the form is shown again: its summary has the focus, and links to each field that must be corrected. */
export async function assertRefused(page: Page, ...names: readonly string[]): Promise<void> {
  assert.ok(await hasSeenFocus(page, '.errors[role=alert]'), 'the summary has the focus')
  assert.equal(await page.locator('.errors a').count(), names.length)
  for (const name of names) {
    await pressTo(page, `.errors a[href="#field-${name}"]`, 'Enter')
    await page.waitForSelector(`#field-${name}:focus`)
    assert.ok(await hasSeenFocus(page, `#field-${name}[aria-invalid=true]`), `the summary leads to ${name}`)
  }
}

/** Returns whether an element has the focus. Asserts that the focused element, unless it is the page as a whole, is in view and has an outline. */
async function hasSeenFocus(page: Page, selector: string): Promise<boolean> {
  const [isIt, isSeen, html] = await page.evaluate<[boolean, boolean, string]>(`(() => {
    const element = document.activeElement
    const { outlineStyle, outlineWidth } = getComputedStyle(element)
    const { top, right, bottom, left } = element.getBoundingClientRect()
    const isInView = bottom > top && right > left && bottom > 0 && right > 0 && top < innerHeight && left < innerWidth
    // The calendar button in a date field belongs to the browser, as does its outline.
    const isOutlined = (outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2) || element.matches('[type=date]:not(:focus)')
    const isSeen = element === document.body || (isInView && isOutlined)
    return [element.matches(${JSON.stringify(selector)}), isSeen, element.outerHTML.slice(0, 120)]
  })()`)
  assert.ok(isSeen, `the focus is seen on ${html}`)
  return isIt
}
