import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import { directionOf, type Language, languages } from '../../packages/gatelodge/src/kernel/languages.ts'
import { pageWords } from '../../packages/gatelodge/src/pages/words/index.ts'
import { pages } from '../../packages/gatelodge/src/routes.ts'
import { layoutShift, openBrowser, type Sitting } from '../../packages/gatelodge/test/support/browser.ts'
import { commandFolder } from '../../packages/gatelodge/test/support/cli.ts'
import {
  everyPage,
  everyRefusal,
  openStrictSite,
  type Refusal,
  refusals,
  type Stop,
  stops,
} from '../../packages/gatelodge/test/support/every-page.ts'
import { until } from '../../packages/gatelodge/test/support/until.ts'
import { browser, narrow, site } from './fixture.ts'
import { assertPasses, register } from './page.ts'

for (const language of languages) {
  test(`every page in "${language}" speaks it, fits 320 px, stays still and passes axe in light and dark`, async () => {
    await using here = await openBrowser(browser, site, { viewport: narrow, locale: language })
    const seen: Stop[] = []
    for await (const stop of everyPage(here, site, `walker-${language}`)) {
      seen.push(stop)
      await assertSound(here.page, language, stop)
    }
    assert.deepEqual(seen, stops)
    here.assertClean()
  })
}

test('a closed sign-up, a limit and a database that is away are told on pages as sound, in every language', async () => {
  await using closing = new AsyncDisposableStack()
  const strict = closing.use(await openStrictSite())
  const readers = new Map<Sitting, Language>()
  for (const language of languages) {
    readers.set(closing.use(await openBrowser(browser, strict, { viewport: narrow, locale: language })), language)
  }
  const seen: Refusal[] = []
  for await (const [refusal, reader] of everyRefusal([...readers.keys()], strict)) {
    seen.push(refusal)
    await assertSound(reader.page, readers.get(reader) ?? 'en', refusal)
  }
  assert.deepEqual(
    seen,
    refusals.flatMap((refusal) => languages.map(() => refusal)),
  )
  for (const reader of readers.keys()) reader.assertClean(/^503 /)
})

test('the walk over every page knows every page of the route table', async () => {
  await using here = await openBrowser(browser, site)
  const seen = new Set<string>()
  here.page.on('request', (request) => {
    if (request.resourceType() === 'document') seen.add(new URL(request.url()).pathname)
  })
  for await (const _ of everyPage(here, site, 'cartographer')) {
  }
  const shown = pages.filter(({ method, answers }) => method === 'GET' && 200 in answers).map(({ path }) => path)
  assert.ok(shown.length > 12)
  assert.deepEqual(
    shown.filter((path) => !seen.has(path)),
    [],
  )
})

test('the API’s documentation and the development mailbox are as sound, in English', async () => {
  await using folder = commandFolder()
  const { started } = await folder.serve()
  await using here = await openBrowser(browser, { origin: started.url }, { viewport: narrow, locale: 'fr' })
  const { page } = here
  for (const path of ['/docs', '/dev/mailbox']) {
    assert.equal(await here.open(path), 200)
    await assertShown(page, 'en', path)
  }

  await register(here, 'ada@example.org')
  await until(async () => {
    await here.open('/dev/mailbox')
    return (await page.locator('.mail-row').count()) > 0
  })
  await assertShown(page, 'en', 'the mailbox with a mail')
  await page.locator('.mail-row').click()
  await page.frameLocator('.mail-frame').locator('a').first().waitFor()
  await page.locator('summary').click()
  await assertShown(page, 'en', 'the mail')
  here.assertClean(/'postMessage'/) // axe queries the frame, whose sandbox allows no script to answer
})

async function assertSound(page: Page, language: Language, stop: string): Promise<void> {
  const text = await page.evaluate<string>('document.body.innerText')
  assert.doesNotMatch(text, /undefined|null|NaN|\[object|\$\{/, `${stop} in ${language}`)
  await assertShown(page, language, stop)
}

async function assertShown(page: Page, language: Language, stop: string): Promise<void> {
  const name = `${stop} in ${language}`
  const [lang, dir, headings, skip] = await page.evaluate<[string, string, number, string]>(
    `[document.documentElement.lang, document.documentElement.dir,
      document.querySelectorAll('h1').length, document.querySelector('.skip').innerText]`,
  )
  const { layout } = pageWords[language]
  assert.deepEqual([lang, dir, headings, skip], [language, directionOf(language), 1, layout.skip], name)
  assert.equal(await layoutShift(page), 0, name)
  await assertPasses(page, name)
}
