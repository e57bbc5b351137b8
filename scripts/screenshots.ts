import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import sharp from 'sharp'
import { launchBrowser, openBrowser, openSite, type Site } from '../packages/gatelodge/test/support/browser.ts'
import { everyPage, everyRefusal, openStrictSite } from '../packages/gatelodge/test/support/every-page.ts'
import { stopOwnPostgres } from '../packages/gatelodge/test/support/postgres.ts'

const desktop = { width: 1000, height: 700 }
const phone = { width: 360, height: 640 }

/** The variants in which each page is captured. */
const looks: Readonly<Record<string, BrowserContextOptions>> = {
  light: { viewport: desktop, locale: 'en-US', colorScheme: 'light' },
  dark: { viewport: desktop, locale: 'en-US', colorScheme: 'dark' },
  phone: { viewport: phone, locale: 'en-US', colorScheme: 'light' },
  'phone-arabic': { viewport: phone, locale: 'ar', colorScheme: 'light' },
}

/** Takes a screenshot of every page: `npm run screenshots`, or `npm run screenshots -- FOLDER LOOK...`. */
const [folder = 'docs/screenshots', ...wished] = process.argv.slice(2)
rmSync(folder, { recursive: true, force: true })
mkdirSync(folder, { recursive: true })

const browser = await launchBrowser()
try {
  await using site = await openSite()
  for (const [look, options] of Object.entries(looks)) {
    if (wished.length > 0 && !wished.includes(look)) continue
    await takeAll(browser, site, look, options)
  }
} finally {
  await browser.close()
  await stopOwnPostgres()
}
const sizes = readdirSync(folder).map((name) => statSync(join(folder, name)).size)
console.log(`${sizes.length} pictures in ${folder}, ${Math.round(sizes.reduce((a, b) => a + b, 0) / 1024)} KiB`)

async function takeAll(browser: Browser, site: Site, look: string, options: BrowserContextOptions): Promise<void> {
  await using sitting = await openBrowser(browser, site, options)
  for await (const name of everyPage(sitting, site, `ada-${look}`)) await take(sitting.page, `${name}.${look}`)

  await using strict = await openStrictSite()
  await using refused = await openBrowser(browser, strict, options)
  for await (const [name] of everyRefusal([refused], strict)) await take(refused.page, `${name}.${look}`)
}

/** Takes a screenshot with a reduced palette, since pages have few colours: a tenth of the size. */
async function take(page: Page, name: string): Promise<void> {
  const picture = await page.screenshot({ fullPage: true, animations: 'disabled', caret: 'hide' })
  await sharp(picture)
    .png({ palette: true, colours: 24, dither: 0, effort: 10 })
    .toFile(join(folder, `${name}.png`))
}
