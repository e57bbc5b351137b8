import assert from 'node:assert/strict'
import { globSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import { openBrowser, type Sitting, seriousFaults } from '../../packages/gatelodge/test/support/browser.ts'
import { browser, build, picture, site } from './fixture.ts'
import { assertFault, fill, password, press, register, signIn } from './page.ts'

const wide = { width: 1280, height: 800 }
const phone = { width: 360, height: 640 }

test('every page passes axe in light and dark, fits a phone and a desk, and has one heading', async () => {
  await using here = await openBrowser(browser, site, { viewport: phone })
  const seen: string[] = []
  for await (const stop of everyPage(here)) {
    seen.push(stop)
    await assertSound(here.page, stop)
  }
  const routes = globSync('**/+page.svelte', { cwd: join(build.path, 'src/routes') }).map((file) => `/${dirname(file)}`)
  assert.deepEqual(
    routes.filter((path) => !seen.some((stop) => stop.split(' ')[0] === path.replace('/.', '/'))),
    [],
  )
  here.assertClean(/^40[01] .*\/api\/v1\/auth\//)
})

/** Leads a visitor without an account over every page, and yields at each with its path. */
export async function* everyPage(here: Sitting): AsyncGenerator<string> {
  const { page } = here
  const email = 'walker@example.org'
  const expired = '?token=0123456789abcdef.spent'
  const at = async (path: string, ready = 'main h1') => {
    await here.open(path)
    await page.locator(ready).waitFor()
    return path.split('?')[0] ?? ''
  }
  yield await at('/')
  yield await at('/login')
  await fill(page, { identifier: email, password: 'wrong' })
  await press(page, 'Sign in')
  await page.locator('form [role=alert]').waitFor()
  yield '/login refused'
  yield await at('/register')
  await fill(page, { email: 'no address', password: 'a', password_confirmation: 'b' })
  await press(page, 'Create account')
  await assertFault(page, 'email')
  yield '/register refused'
  await register(here, email)
  yield '/verify-email'
  yield await at('/verify-email/resend')
  await page.context().clearCookies()
  await page.goto(await site.linkTo(email, '/verify-email'))
  yield '/verify-email with a link'
  await press(page, 'Confirm my address')
  await assertFault(page, 'password')
  yield '/verify-email elsewhere'
  await fill(page, { password })
  await press(page, 'Confirm my address')
  await page.locator('main a.button[href="/login"]').waitFor()
  yield '/verify-email confirmed'
  for (const path of ['/reset-password', '/change-email', '/security/undo', '/change-email/undo'])
    yield await at(path + expired)
  await press(page, 'Undo the change')
  await page.locator('main [role=alert]').waitFor()
  yield '/change-email/undo expired'
  yield await at('/forgot-password')
  await fill(page, { email })
  await press(page, 'Send the link')
  await page.locator('.toast').waitFor()
  yield '/login with a toast'
  await signIn(here, email, password, '/')
  yield '/ signed in'
  yield await at('/account', '.rows li')
  await press(page, 'Edit the profile')
  yield '/account dialog'
  await fill(page, { username: 'ab' })
  await press(page, 'Save')
  await assertFault(page, 'username')
  yield '/account dialog refused'
  await press(page, 'Cancel')
  await page.setInputFiles('[name=avatar]', picture)
  await page.locator('.picture img').waitFor()
  yield '/account preview'
  await press(page, 'Use this picture')
  await page.locator('.toast').waitFor()
  yield '/account picture'
  yield await at('/logout')
  yield await at('/nowhere')
}

/** Elements that can be pressed or filled in and extend beyond their card, dialog or page. */
const outside = `[...document.querySelectorAll('a, button, input:not(.unseen)')].filter((element) => {
  const frames = ['.card', 'dialog', 'body'].map((frame) => element.closest(frame)?.getBoundingClientRect())
  const { left, right, width } = element.getBoundingClientRect()
  return width > 0 && frames.some((frame) => frame && (right > Math.min(frame.right, innerWidth) || left < Math.max(frame.left, 0)))
}).map((element) => element.outerHTML)`

export async function assertSound(page: Page, stop: string): Promise<void> {
  for (const [size, viewport] of Object.entries({ wide, phone })) {
    await page.setViewportSize(viewport)
    const [overflow, sticking, headings, title, text] = await page.evaluate<[number, string[], number, string, string]>(
      `[document.documentElement.scrollWidth - innerWidth, ${outside}, document.querySelectorAll('h1').length,
        document.title, document.body.innerText]`,
    )
    assert.deepEqual([overflow, sticking, headings, title !== ''], [0, [], 1, true], `${stop}, ${size}`)
    assert.doesNotMatch(text, /undefined|null|NaN|\[object|0123456789abcdef/, stop)
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme })
      if (size === 'phone') assert.deepEqual(await seriousFaults(page), [], `${stop}, ${colorScheme}`)
      const folder = process.env.SVELTEKIT_SCREENSHOTS
      const name = `${stop
        .replace(/^\/(?!\w)/, '/home')
        .slice(1)
        .replaceAll(/\W+/g, '-')}.${size}.${colorScheme}.png`
      if (folder !== undefined)
        await page.screenshot({ path: join(folder, name), fullPage: true, animations: 'disabled' })
    }
  }
}
