import { html } from './html.ts'
import type { PageContent } from './page-context.ts'

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
