import type { Route } from '../http/route.ts'
import type { Language } from '../kernel/languages.ts'
import { html } from './html.ts'
import { languageOfReader, type PageContent, pageAnswer } from './page-context.ts'

/** The content of a page without a form: a sentence and links, the most likely one first. */
export interface Notice {
  readonly title: string
  readonly text: string
  readonly ways: readonly (readonly [label: string, href: string])[]
}

/** Renders a page that only informs. */
export function notice({ title, text, ways: [first, ...others] }: Notice): PageContent {
  const body = html`<div class="card">
<h1>${title}</h1>
<p>${text}</p>
${first && html`<p><a class="button" href="${first[1]}">${first[0]}</a></p>`}
${others.map(([label, href]) => html`<p class="ways"><a href="${href}">${label}</a></p>`)}
</div>`
  return { title, body }
}

/** Returns a handler that answers a used or expired link with a notice. All other failures are handled as usual. */
export function expiredLink(noticeIn: (language: Language) => Notice): NonNullable<Route['recover']> {
  return (deps, failed, error) => {
    if (error.code !== 'token_invalid') return undefined
    return pageAnswer(deps, failed, () => notice(noticeIn(languageOfReader(failed))), 400)
  }
}
