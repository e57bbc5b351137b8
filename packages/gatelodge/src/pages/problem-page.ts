import { html } from './html.ts'
import { page } from './layout.ts'

export interface ProblemPage {
  readonly serviceName: string
  readonly title: string
  /** Comes from our own tables and never from the request: foreign text on our domain is a phishing aid. */
  readonly text: string
  /** The way on: a path of ours and its words. */
  readonly link: { readonly href: string; readonly label: string }
}

/** What a browser shows when something went wrong (404, 403, 429, 500). */
export function problemPage({ serviceName, title, text, link }: ProblemPage): string {
  const body = html`<div class="card">
<h1>${title}</h1>
<p>${text}</p>
<p><a class="button" href="${link.href}">${link.label}</a></p>
</div>`

  return page({ title, serviceName, body })
}
