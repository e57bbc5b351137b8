import { join } from 'node:path'
import { after } from 'node:test'
import { launchBrowser, openSite } from '../../packages/gatelodge/test/support/browser.ts'
import { plain } from '../../packages/gatelodge/test/support/images.ts'
import { stopOwnPostgres } from '../../packages/gatelodge/test/support/postgres.ts'

const closing = new AsyncDisposableStack()
after(() => closing.disposeAsync())

closing.defer(stopOwnPostgres)
export const browser = closing.adopt(await launchBrowser(), (opened) => opened.close())
/** The server of these proofs. Many users sign in from one address, which would exceed the limits, so they are off. */
export const site = closing.use(await openSite({ GATELODGE_RATE_LIMITS: 'off' }))

/** A file of 300 × 200 pixels. */
export const picture = join(site.folder.path, 'me.png')
await plain(300, 200).png().toFile(picture)

export const password = 'quiet harbour 52'
export const wide = { width: 1280, height: 800 }
export const narrow = { width: 320, height: 640 }
