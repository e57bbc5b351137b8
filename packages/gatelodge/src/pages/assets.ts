import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'

/** A static file of the pages; `path` holds a hash of the content, so it may be cached for ever. */
export interface Asset {
  readonly path: string
  readonly body: Buffer<ArrayBuffer>
  readonly contentType: string
}

/** The look of every page. */
export const stylesheet = makeAsset('styles.css', 'text/css; charset=utf-8', ['tokens.css', 'styles.css', 'docs.css'])

/** The picture in the browser's tab. */
export const favicon = makeAsset('favicon.svg', 'image/svg+xml', ['favicon.svg'])

/** Every static file that the server answers, read once at start. */
export const assets: readonly Asset[] = [stylesheet, favicon]

function makeAsset(name: string, contentType: string, sources: readonly string[]): Asset {
  const body = Buffer.concat(sources.map((source) => readFileSync(new URL(`./${source}`, import.meta.url))))
  const hash = createHash('sha256').update(body).digest('hex').slice(0, 16)
  return { path: `/assets/${name.replace('.', `.${hash}.`)}`, body, contentType }
}
