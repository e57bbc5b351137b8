import { fileURLToPath } from 'node:url'
import type { BrowserContext, Page } from 'playwright-core'
import { rolldown } from 'rolldown'
import { listen } from './listen.ts'

export const emptyPage = '<!doctype html><title>An app</title><link rel="icon" href="data:,">'

/** Bundles the client for a browser. */
export async function bundleClient(): Promise<string> {
  const input = fileURLToPath(new URL('../../src/index.ts', import.meta.url))
  const bundle = await rolldown({ input, platform: 'browser' })
  const { output } = await bundle.generate({ format: 'esm', minify: true })
  return output[0].code
}

/** Opens a tab of an app with a client in it: the page has `auth`, and `heard`, its events. */
export async function openTab(context: BrowserContext, app: string, options: object): Promise<Page> {
  const page = await context.newPage()
  await page.goto(`${app}/app/`)
  await page.evaluate(`import('/app/client.js').then(({ createClient }) => {
    globalThis.auth = createClient(${JSON.stringify(options)})
    globalThis.heard = []
    for (const event of ['signed-in', 'signed-out', 'refreshed', 'user-changed']) auth.on(event, () => heard.push(event))
  })`)
  return page
}

/** Returns whether a path of the app is its script. */
export const isScript = (url: string | undefined) => url?.endsWith('.js')

/** Serves an app with one empty page and the client, at its own origin. */
export function serveApp(code: string) {
  return listen(({ url }, response) => {
    response.writeHead(200, { 'content-type': isScript(url) ? 'text/javascript' : 'text/html' })
    response.end(isScript(url) ? code : emptyPage)
  })
}
