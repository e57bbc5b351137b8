import type { Route } from '../http/route.ts'
import type { Language } from '../kernel/languages.ts'
import { html } from './html.ts'
import { languageOfReader, type PageContent, pageAnswer } from './page-context.ts'

/** What a page says that has nothing to fill in: a sentence and the ways on, the likeliest first. */
export interface Notice {
  readonly title: string
  readonly text: string
  readonly ways: readonly (readonly [label: string, href: string])[]
}

/** A page that only tells something. */
export function notice({ title, text, ways: [first, ...others] }: Notice): PageContent {
  const body = html`<div class="card">
<h1>${title}</h1>
<p>${text}</p>
${first && html`<p><a class="button" href="${first[1]}">${first[0]}</a></p>`}
${others.map(([label, href]) => html`<p class="ways"><a href="${href}">${label}</a></p>`)}
</div>`
  return { title, body }
}

/** Answers a mailed link that was spent or has expired with a notice; every other failure goes its usual way. */
export function expiredLink(noticeIn: (language: Language) => Notice): NonNullable<Route['recover']> {
  return (deps, failed, error) => {
    if (error.code !== 'token_invalid') return undefined
    return pageAnswer(deps, failed, () => notice(noticeIn(languageOfReader(failed))), 400)
  }
}
