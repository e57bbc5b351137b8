import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import { languages } from '../../packages/gatelodge/src/kernel/languages.ts'
import { pageWords } from '../../packages/gatelodge/src/pages/words/index.ts'
import { openBrowser } from '../../packages/gatelodge/test/support/browser.ts'
import { plain } from '../../packages/gatelodge/test/support/images.ts'
import { until } from '../../packages/gatelodge/test/support/until.ts'
import { browser, narrow, password, picture, site } from './fixture.ts'
import { assertPasses, focused, signIn, signUp, widthOf } from './page.ts'

// What pages/enhance.js adds.

test('the hint at a password’s strength follows what is typed, and is announced, in every language', async () => {
  for (const language of languages) {
    await using here = await openBrowser(browser, site, { viewport: narrow, locale: language })
    const { page } = here
    const { weak, fair, good, strong } = pageWords[language].form.strength
    await here.open('/register')
    assert.deepEqual(await hintOf(page), ['polite', '', 0, false])
    for (const [typed, word, level] of [
      ['aaaaaaaa', weak, 1],
      ['harbour 52', fair, 2],
      ['quiet harbour', good, 3],
      ['quiet harbour 52 at dawn', strong, 4],
    ] as const) {
      await page.locator('#field-password').fill('')
      await page.locator('#field-password').pressSequentially(typed)
      assert.deepEqual(await hintOf(page), ['polite', word, level, true], typed)
    }
    await assertPasses(page, language)
    await page.locator('#field-password').press('ControlOrMeta+A')
    await page.locator('#field-password').press('Delete')
    assert.deepEqual(await hintOf(page), ['polite', '', 0, false])
    here.assertClean()
  }
})

test('a chosen picture is shown before it is sent, and goes with another choice', async () => {
  await using here = await openBrowser(browser, site, { viewport: narrow, locale: 'en-US' })
  const { page } = here
  await signUp(here, 'preview@example.org')
  await signIn(here, 'preview@example.org', password)
  const preview = page.locator('#field-avatar ~ img')
  const showsWidth = (width: number) =>
    until(async () => (await preview.isVisible()) && (await widthOf(page, '#field-avatar ~ img')) === width)
  const other = join(site.folder.path, 'other.png')
  await plain(200, 100).png().toFile(other)

  assert.equal(await preview.count(), 0)
  await page.setInputFiles('#field-avatar', picture)
  await showsWidth(300)
  await page.setInputFiles('#field-avatar', other)
  await showsWidth(200)
  assert.equal(await preview.count(), 1)
  await assertPasses(page, 'en')
  await page.setInputFiles('#field-avatar', [])
  assert.equal(await preview.count(), 0)

  await here.send('/account/avatar', { avatar: picture })
  assert.equal(await widthOf(page, 'img.avatar'), 320)
  assert.equal(await preview.count(), 0)
  here.assertClean()
})

test('without JavaScript there is neither hint nor preview nor button to show a password, and nothing in their place', async () => {
  await using here = await openBrowser(browser, site, { javaScriptEnabled: false })
  const { page } = here
  const extras = page.locator('meter, [aria-live], .reveal, #field-avatar ~ img')
  await here.open('/register')
  assert.equal(await page.locator('.secret[data-strength]').count(), 1)
  await page.locator('#field-password').pressSequentially(password)
  assert.equal(await extras.count(), 0)
  await page.keyboard.press('Tab')
  assert.equal(await focused(page), 'password_confirmation')

  await signUp(here, 'plain@example.org')
  await signIn(here, 'plain@example.org', password)
  await page.setInputFiles('#field-avatar', picture)
  assert.equal(await extras.count(), 0)
  await here.send('/account/avatar')
  assert.equal(await widthOf(page, 'img.avatar'), 320)
  here.assertClean()
})

/** Returns how the hint is announced, its text, the level of its meter, and whether that is visible. */
function hintOf(page: Page): Promise<[string, string, number, boolean]> {
  return page.evaluate(`(() => {
    const said = document.querySelector('[data-strength] ~ p.hint[aria-live]')
    const meter = document.querySelector('[data-strength] ~ meter[max="4"]')
    return [said.getAttribute('aria-live'), said.textContent, meter.value, meter.checkVisibility()]
  })()`)
}
