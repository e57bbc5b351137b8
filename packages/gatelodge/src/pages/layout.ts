import { favicon, stylesheet } from './assets.ts'
import { type Html, html, renderHtml } from './html.ts'
import { pageMessages } from './messages.ts'

export interface Page {
  readonly title: string
  readonly serviceName: string
  readonly body: Html
  /** BCP 47, `en` when absent. */
  readonly lang?: string
  readonly description?: string
  /** For reference pages and lists; forms and messages read better narrow. */
  readonly wide?: boolean
}

/** A whole HTML document that loads nothing but our own assets and holds neither script nor inline style, as the CSP demands. */
export function page(page: Page): string {
  const description = page.description !== undefined && html`<meta name="description" content="${page.description}">`

  return renderHtml(html`<!doctype html>
<html lang="${page.lang ?? 'en'}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
${description}
<title>${page.title} · ${page.serviceName}</title>
<link rel="stylesheet" href="${stylesheet.path}">
<link rel="icon" type="image/svg+xml" href="${favicon.path}">
</head>
<body>
<a class="skip" href="#main">${pageMessages.layout.skip}</a>
<header class="site-header"><a class="brand" href="/"><img src="${favicon.path}" alt="" width="28" height="28">${page.serviceName}</a></header>
<main id="main" class="${page.wide ? 'wide' : 'narrow'}" tabindex="-1">
${page.body}
</main>
</body>
</html>
`)
}
