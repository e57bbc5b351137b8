import type { Theme } from '../domain/theme.ts'
import { formTokenField } from '../http/form-token.ts'
import { directionOf, type Language, languageNames, languages } from '../kernel/languages.ts'
import { enhancements, favicon, referenceStylesheet, stylesheet } from './assets.ts'
import { type Html, html, renderHtml } from './html.ts'
import { legalLinks } from './legal-links.ts'
import type { Flash } from './page-context.ts'
import { pageWords } from './words/index.ts'

export interface Page {
  readonly title: string
  readonly theme: Theme
  readonly body: Html
  /** `en` if absent. */
  readonly language?: Language
  readonly description?: string
  /** For reference pages and lists; forms and messages read better in a narrow column. */
  readonly wide?: boolean
  /** Header and footer of a page for users. Reference pages have none. */
  readonly frame?: Frame
}

export interface Frame {
  /** The page that the language switcher returns to. */
  readonly path: string
  readonly isSignedIn: boolean
  readonly formToken: string
  /** A message shown once, after a redirect. */
  readonly flash: Flash | undefined
}

/** Renders a complete HTML document that loads only our own assets and contains no script and no inline style, as the CSP requires. */
export function page(page: Page): string {
  const { language = 'en', frame, theme } = page
  const mark = theme.logo ?? favicon
  const words = pageWords[language].layout
  const description = page.description !== undefined && html`<meta name="description" content="${page.description}">`

  return renderHtml(html`<!doctype html>
<html lang="${language}" dir="${directionOf(language)}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
${description}
<title>${page.title} &#183; ${theme.serviceName}</title>
<link rel="stylesheet" href="${stylesheet.path}">
${!frame && html`<link rel="stylesheet" href="${referenceStylesheet.path}">\n`}${theme.sheet && html`<link rel="stylesheet" href="${theme.sheet.path}">\n`}<link rel="icon" type="${mark.contentType}" href="${mark.path}">
${frame && html`<script src="${enhancements.path}" defer blocking="render"></script>`}
</head>
<body>
<a class="skip" href="#main">${words.skip}</a>
<header class="site-header"><a class="brand" href="/"><img src="${mark.path}" alt="" width="28" height="28">${theme.serviceName}</a>${frame?.isSignedIn && navigation(words)}</header>
<main id="main" class="${page.wide ? 'wide' : 'narrow'}" tabindex="-1">
${frame?.flash && flashOf(frame.flash)}
${page.body}
</main>
${frame && footer(frame, theme, language)}
</body>
</html>
`)
}

function flashOf({ text, copy }: Flash): Html {
  return html`<div class="flash" role="status"><p>${text}</p>${copy !== undefined && html`<textarea class="copy" dir="ltr" rows="4" readonly aria-label="${text}">${copy}</textarea>`}</div>`
}

function navigation(words: (typeof pageWords)[Language]['layout']): Html {
  return html`<nav class="site-nav" aria-label="${words.account}"><a href="/account">${words.account}</a> <a href="/logout">${words.signOut}</a></nav>`
}

/** Renders the language switcher, a form without script: one button per language, each returning to the same page. */
function footer({ path, formToken }: Frame, theme: Theme, current: Language): Html {
  const words = pageWords[current].layout
  return html`<footer class="site-footer"><form class="languages" method="post" action="/language" aria-label="${words.language}">
<input type="hidden" name="${formTokenField}" value="${formToken}"><input type="hidden" name="next" value="${path}">
${languages.map(
  (
    language,
  ) => html`<button name="language" value="${language}" lang="${language}"${language === current && html` aria-current="true"`}>${languageNames[language]}</button>
`,
)}</form>${legalLinks(theme, current)}</footer>`
}
