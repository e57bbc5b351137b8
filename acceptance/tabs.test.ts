import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bundleClient, openTab, serveApp } from '../packages/client/test/support/browser-app.ts'
import { launchBrowser, openSite } from '../packages/gatelodge/test/support/browser.ts'

const rounds = process.env.PROOFS === 'quick' ? 5 : 100
const credentials = { email: 'ada@example.com', password: 'quiet harbour 52' }

for (const locks of [true, false]) {
  const by = locks ? 'Web Locks' : 'leases in the storage'
  test(`two tabs with one expired access token refresh at most once and stay signed in, ${rounds} times, by ${by}`, async (t) => {
    await using app = await serveApp(await bundleClient())
    const elsewhere = app.origin.replace('127.0.0.1', 'localhost')
    await using site = await openSite({
      GATELODGE_ALLOWED_ORIGINS: elsewhere,
      GATELODGE_ACCESS_TOKEN_TTL: '2s',
      GATELODGE_RATE_LIMITS: 'off',
    })
    await site.folder.json(`admin create --email ${credentials.email} --password-stdin`, credentials.password)
    const browser = await launchBrowser()
    t.after(() => browser.close())
    const context = await browser.newContext()
    context.setDefaultTimeout(30_000)
    if (!locks) await context.addInitScript("Object.defineProperty(navigator, 'locks', { value: undefined })")
    let refreshes = 0
    context.on('request', (request) => {
      if (request.method() === 'POST' && request.url().endsWith('/refresh')) refreshes += 1
    })

    const options = { session: 'token', baseUrl: site.origin }
    const [one, two] = [await openTab(context, elsewhere, options), await openTab(context, elsewhere, options)]
    await one.evaluate(`auth.signIn(${JSON.stringify(credentials)})`)
    const held = () => one.evaluate<string>('JSON.parse(Object.values(localStorage)[0]).access_token')
    for (let round = 1; round <= rounds; round += 1) {
      const token = await held()
      await expired(site.origin, token)
      const before = refreshes
      const calls = 'Promise.all(Array.from({ length: 10 }, () => auth.me())).then((users) => users.length)'
      assert.deepEqual(await Promise.all([one.evaluate(calls), two.evaluate(calls)]), [10, 10])
      assert.equal(refreshes - before, 1, `round ${round}`)
      assert.notEqual(await held(), token)
    }
    for (const tab of [one, two]) assert.equal(await tab.evaluate("heard.includes('signed-out')"), false)
  })
}

/** Waits until Gatelodge rejects a token. */
async function expired(origin: string, token: string): Promise<void> {
  const headers = { authorization: `Bearer ${token}` }
  const giveUp = performance.now() + 10_000
  while ((await fetch(`${origin}/api/v1/auth/session`, { headers })).status !== 401) {
    assert.ok(performance.now() < giveUp, 'the token does not expire')
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
