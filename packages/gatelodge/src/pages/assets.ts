import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import type { Asset } from '../domain/theme.ts'
import { colorRules } from './palette.ts'

const css = 'text/css; charset=utf-8'

/** The style sheet of every page. */
export const stylesheet = assetOf(
  'styles.css',
  css,
  Buffer.concat([
    Buffer.from(colorRules(null)),
    ...['tokens.css', 'styles.css', 'forms.css', 'account.css'].map(readSource),
  ]),
)

/** The additional style sheet of the pages for developers. */
export const referenceStylesheet = assetOf('reference.css', css, readSource('reference.css'))

/** The icon in the browser's tab. */
export const favicon = assetOf('favicon.svg', 'image/svg+xml', readSource('favicon.svg'))

/** The script that improves pages. All of them work without it. */
export const enhancements = assetOf('enhance.js', 'text/javascript; charset=utf-8', readSource('enhance.js'))

/** Every static file of our own that the server sends, read once at start. */
export const assets: readonly Asset[] = [stylesheet, referenceStylesheet, favicon, enhancements]

/** Returns a static file under a name that changes with its content. */
export function assetOf(name: string, contentType: string, body: Buffer<ArrayBuffer>): Asset {
  const hash = createHash('sha256').update(body).digest('hex').slice(0, 16)
  return { path: `/assets/${name.replace('.', `.${hash}.`)}`, body, gzipped: gzipSync(body), contentType }
}

function readSource(name: string): Buffer<ArrayBuffer> {
  return readFileSync(new URL(`./${name}`, import.meta.url))
}
