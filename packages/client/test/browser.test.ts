import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { forEachDatabase } from '../../gatelodge/test/support/app.ts'
import { launchBrowser, openSite } from '../../gatelodge/test/support/browser.ts'
import { databaseSettings } from '../../gatelodge/test/support/databases.ts'
import { bundleClient, emptyPage, isScript, openTab, serveApp } from './support/browser-app.ts'

// Runs in a real browser: two tabs, its storage, locks and cookies, and CORS where the app has another origin than Gatelodge.

const email = 'ada@example.com'
const password = 'quiet harbour 52'

const heard = (page: Page, event: string) => page.waitForFunction(`heard.includes('${event}')`)

let code: string
let browser: Browser
before(async () => {
  code = await bundleClient()
  browser = await launchBrowser()
})
after(() => browser.close())

forEachDatabase('a real browser', (engine) => {
  test('tabs of a real browser share a sign-in, refresh once for all and sign out together', async () => {
    await using app = await serveApp(code)
    const elsewhere = app.origin.replace('127.0.0.1', 'localhost')
    await using database = await databaseSettings(engine)
    await using site = await openSite({ ...database.env, GATELODGE_ALLOWED_ORIGINS: elsewhere })
    await site.folder.json(`admin create --email ${email} --password-stdin`, password)

    for (const [origin, session, locks] of [
      [elsewhere, 'token', true],
      [elsewhere, 'token', false],
      [elsewhere, 'cookie', true],
      [site.origin, 'token', true],
      [site.origin, 'cookie', true],
    ] as const) {
      const context = await browser.newContext()
      context.setDefaultTimeout(30_000)
      // Gatelodge’s own origin serves no such app: the browser is made to believe that it does.
      await context.route(`${site.origin}/app/**`, (route) =>
        isScript(route.request().url())
          ? route.fulfill({ contentType: 'text/javascript', body: code })
          : route.fulfill({ contentType: 'text/html', body: emptyPage }),
      )
      if (!locks) await context.addInitScript("Object.defineProperty(navigator, 'locks', { value: undefined })")
      let refreshes = 0
      context.on('request', (request) => {
        if (request.method() === 'POST' && request.url().endsWith('/refresh')) refreshes += 1
      })

      const options = { session, ...(origin !== site.origin && { baseUrl: site.origin }) }
      const [one, two] = [await openTab(context, origin, options), await openTab(context, origin, options)]
      assert.equal(await two.evaluate('auth.session()'), null)
      await one.evaluate(`auth.signIn({ email: '${email}', password: '${password}' })`)
      await heard(two, 'signed-in')
      assert.equal(await two.evaluate('auth.me().then(({ email }) => email)'), email)
      const readable = String(await one.evaluate('document.cookie + JSON.stringify(localStorage)'))
      assert.equal(readable.includes('access_token'), session === 'token')

      for (let round = 1; session === 'token' && round <= 5; round += 1) {
        await one.evaluate(`for (const [name, kept] of Object.entries(localStorage))
        localStorage.setItem(name, JSON.stringify({ ...JSON.parse(kept), refresh_at: 0 }))`)
        const calls = 'Promise.all(Array.from({ length: 10 }, () => auth.me())).then((users) => users.length)'
        assert.deepEqual(await Promise.all([one.evaluate(calls), two.evaluate(calls)]), [10, 10])
        assert.equal(refreshes, round)
      }
      await two.evaluate('auth.signOut()')
      await heard(one, 'signed-out')
      assert.equal(await one.evaluate('auth.session()'), null)
      assert.deepEqual(await one.evaluate('Object.keys(localStorage)'), [])
      await context.close()
    }
  })
})
