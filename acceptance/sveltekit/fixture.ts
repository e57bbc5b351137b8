import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after } from 'node:test'
import { launchBrowser, openBrowser, openSite, type Sitting } from '../../packages/gatelodge/test/support/browser.ts'
import { plain } from '../../packages/gatelodge/test/support/images.ts'
import { buildFrontEnd, frontEndOrigin, startFrontEnd } from './front-end.ts'
import { password, signIn } from './page.ts'

const closing = new AsyncDisposableStack()
after(() => closing.disposeAsync())

/** The example, checked and built. */
export const build = closing.use(await buildFrontEnd())
const origin = await frontEndOrigin()
const env = { NODE_OPTIONS: '', GATELODGE_PUBLIC_URL: origin, GATELODGE_TRUSTED_PROXIES: '127.0.0.1' }
/** A packed Gatelodge whose pages are those of the example, and its inbox. */
export const site = closing.use(await openSite(env, join(build.path, 'node_modules/.bin/gatelodge')))
/** The front end that browsers use. */
export const front = closing.use(await startFrontEnd(build, origin, site.server.origin))
export const browser = closing.adopt(await launchBrowser(), (opened) => opened.close())

/** A file of 300 × 200 pixels. */
export const picture = join(build.path, 'me.png')
await plain(300, 200).png().toFile(picture)

/** Opens the account page as a new user. */
export async function signedIn(email: string, names: Readonly<Record<string, string>> = {}): Promise<Sitting> {
  await post('signup', { email, first_name: 'Ada', last_name: 'Lovelace', ...names, password })
  const link = await site.linkTo(email, '/verify-email')
  await post('verify-email', { token: new URL(link).searchParams.get('token'), password })
  const here = await openBrowser(browser, site, { viewport: { width: 1280, height: 800 } })
  await here.open('/login?next=/account')
  await signIn(here, email, password, '/account')
  return here
}

export async function post(path: string, body: object): Promise<void> {
  const headers = { 'content-type': 'application/json' }
  const url = `${site.origin}/api/v1/auth/${path}`
  assert.ok((await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })).ok, path)
}

export async function sessionCookie(here: Sitting): Promise<string> {
  const cookies = await here.page.context().cookies()
  return `gatelodge=${cookies.find(({ name }) => name === 'gatelodge')?.value}`
}
