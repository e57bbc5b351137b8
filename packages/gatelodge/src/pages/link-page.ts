import { z } from 'zod'
import type { Deps } from '../domain/deps.ts'
import { findValidToken, type NewOneTimeToken } from '../domain/one-time-tokens.ts'
import type { Answer, Route, RouteContext } from '../http/route.ts'
import { tokenField } from '../http/wire.ts'
import { AuthError } from '../kernel/errors.ts'
import type { Language } from '../kernel/languages.ts'
import { type FormState, form } from './form.ts'
import { formPage } from './form-page.ts'
import { html } from './html.ts'
import { readLinkToken } from './link-token.ts'
import { expiredLink } from './notice.ts'
import type { PageContent, PageView } from './page-context.ts'

const query = z.object({ token: tokenField.optional().catch(undefined) })
const body = z.strictObject({ token: tokenField })

/** The texts of the page of an emailed link. */
export interface LinkPageWords {
  readonly title: string
  readonly lead: string
  readonly submit: string
  /** Shown for a link that was used or has expired, with what to do next. */
  readonly expiredTitle: string
  readonly expired: string
  readonly way: string
}

/** A page with one button, which uses the emailed link that leads to the page. */
export interface LinkPage {
  readonly path: `/${string}`
  readonly summary: string
  readonly purpose: NewOneTimeToken['purpose']
  readonly words: (language: Language) => LinkPageWords
  /** Where the page of a link that no longer works leads. */
  readonly wayOut: `/${string}`
  readonly submit: (
    deps: Deps,
    context: RouteContext<'anyone' | 'session', z.infer<typeof body>, undefined, undefined>,
  ) => Promise<Answer>
}

/** Returns the two routes of such a page. GET only checks the link, so a mail scanner that fetches it consumes nothing. */
export function linkPage({ path, summary, purpose, words, wayOut, submit }: LinkPage): Route[] {
  return formPage({
    path,
    summary,
    access: { by: ['anyone', 'session'] },
    limit: 'token',
    query,
    body,
    errors: [],
    statuses: { token_invalid: 400 },
    async open(deps, context) {
      const link = readLinkToken(deps, context, context.query.token)
      if ('answer' in link) return link.answer

      const { token } = link
      if (token === undefined) throw new AuthError('token_invalid')
      await findValidToken(deps, [purpose], token)
      return { values: { token } }
    },
    view: (_deps, _context, view, state) => buttonPage(view, state, path, words(view.language)),
    submit,
    recover: expiredLink((language) => {
      const { expiredTitle, expired, way } = words(language)
      return { title: expiredTitle, text: expired, ways: [[way, wayOut]] }
    }),
  })
}

function buttonPage(view: PageView, state: FormState, action: string, words: LinkPageWords): PageContent {
  const content = html`<div class="card">
<h1>${words.title}</h1>
<p>${words.lead}</p>
${form({ ...view, action }, state, { fields: [{ name: 'token', kind: 'hidden', label: '' }], submit: words.submit })}
</div>`
  return { title: words.title, body: content }
}
