import type { Deps } from '../domain/deps.ts'
import type { LiveSession } from '../domain/session-cache.ts'
import { readDevice } from '../domain/user-agents.ts'
import type { Language } from '../kernel/languages.ts'
import type { FormState } from './form.ts'
import { type Html, html } from './html.ts'
import type { PageContent, PageContext, PageView } from './page-context.ts'
import { pageWords } from './words/index.ts'

const places = [
  ['/account', 'account'],
  ['/account/sessions', 'sessions'],
  ['/account/tokens', 'tokens'],
  ['/account/data', 'data'],
] as const

/** A part of a page: a heading and the content below it. */
export interface Section {
  readonly title: string
  readonly body: Html
}

/** A part of the account page that another flow owns: a form that posts to one of the flow's own paths. */
export type AccountSection = (deps: Deps, me: LiveSession, view: PageView, state: FormState) => Section

/**
 * Renders a page about the user's own account: links between these pages, heading, sections. If there is only one section, the page's heading serves as its
 * heading.
 */
export function accountPage(
  { path }: Pick<PageContext, 'path'>,
  { language }: PageView,
  title: string,
  sections: readonly Section[],
): PageContent {
  const words = pageWords[language].account
  const here = places.findLast(([href]) => path.startsWith(href))
  const ways = places.map(
    ([href, key]) =>
      html`<li><a href="${href}"${href === here?.[0] && html` aria-current="${href === path ? 'page' : 'true'}"`}>${words[key]}</a></li>`,
  )
  const cards = sections.map((section, index) => {
    if (section.title === title) return html`<div class="card">${section.body}</div>`
    const id = `section-${index + 1}`
    return html`<section class="card" aria-labelledby="${id}"><h2 id="${id}">${section.title}</h2>
${section.body}
</section>`
  })
  const body = html`<nav class="places" aria-label="${words.ways}"><ul>${ways}</ul></nav>
<h1>${title}</h1>
<div class="sections">${cards}</div>`
  return { title, body }
}

/** Returns browser and system of a device, as far as known. */
export function deviceName(userAgent: string | null, language: Language): string {
  const { browser, system } = readDevice(userAgent)
  return [browser, system].filter(Boolean).join(' · ') || pageWords[language].account.unknownDevice
}
