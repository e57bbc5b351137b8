import assert from 'node:assert/strict'
import { test } from 'node:test'
import { launchBrowser, openBrowser, openSite } from '../../packages/gatelodge/test/support/browser.ts'
import { freePort } from '../../packages/gatelodge/test/support/postgres.ts'
import { password } from './fixture.ts'
import { assertTold } from './page.ts'

// A host other than localhost over plain http: there Chromium sends no Fetch Metadata, and `Origin: null` from pages that set `no-referrer`.
const name = 'auth.gatelodge.test'

for (const javaScriptEnabled of [true, false]) {
  test(`a site on a plain-http name is used ${javaScriptEnabled ? 'with' : 'without'} JavaScript`, async () => {
    await using browser = await launchBrowser(`--host-resolver-rules=MAP ${name} 127.0.0.1`)
    const port = await freePort()
    const env = { GATELODGE_PUBLIC_URL: `http://${name}:${port}`, GATELODGE_INSECURE_HTTP: 'yes' }
    await using site = await openSite(env, undefined, '--listen', `127.0.0.1:${port}`)
    await using here = await openBrowser(browser, site, { javaScriptEnabled })
    const proofs: string[] = []
    here.page.on('request', async (request) => {
      if (request.method() !== 'POST' || request.resourceType() !== 'document') return
      const { origin = 'none', 'sec-fetch-site': fetchSite = 'none' } = await request.allHeaders()
      proofs.push(`${origin} ${fetchSite}`)
    })
    const email = 'ada@example.org'
    await here.open('/register')
    await here.send('/register', { email, password, password_confirmation: password })
    assert.equal(here.path(), '/verify-email')
    await here.page.goto(await site.linkTo(email, '/verify-email'))
    await here.send('/verify-email')
    assert.equal(here.path(), '/login')
    await here.send('/login', { identifier: email, password })
    assert.equal(here.path(), '/account')
    await here.send('/account', { first_name: 'Grace', last_name: 'Hopper' })
    await assertTold(here)
    assert.equal(await here.page.locator('#field-first_name').inputValue(), 'Grace')
    await here.open('/logout')
    await here.send('/logout')
    await here.open('/account')
    assert.equal(here.path(), '/login?next=%2Faccount')
    here.assertClean(/Opener-Policy header has been ignored|Not supported for insecure origins/)
    assert.deepEqual(new Set(proofs), new Set(['null none']), 'the browser sent what this is about')
  })
}
