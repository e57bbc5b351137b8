import { z } from 'zod'
import type { Deps } from '../../domain/deps.ts'
import { peekToken } from '../../domain/one-time-tokens.ts'
import type { Answer, RouteContext } from '../../http/route.ts'
import { tokenField } from '../../http/wire.ts'
import { AuthError } from '../../kernel/errors.ts'
import { type FormState, form } from '../../pages/form.ts'
import { formPage } from '../../pages/form-page.ts'
import { html } from '../../pages/html.ts'
import { readLinkToken } from '../../pages/link-token.ts'
import { expiredLink, type Notice } from '../../pages/notice.ts'
import { languageOfReader, type PageContent, type PageView, redirectAnswer } from '../../pages/page-context.ts'
import type { TokenPurpose } from '../../store/schema.ts'
import { confirmEmailChange, undoEmailChange } from './confirm-change.ts'
import { emailChangeMessages } from './messages.ts'

const query = z.object({ token: tokenField.optional().catch(undefined) })
const body = z.strictObject({ token: tokenField })

export const emailChangePages = [
  ...formPage({
    path: '/change-email',
    summary: 'Confirm another e-mail address by its mailed link',
    auth: 'optional',
    limit: 'token',
    query,
    body,
    errors: [],
    statuses: { token_invalid: 400 },
    open: (deps, context) => openLink(deps, context, 'email_change'),
    view: (_deps, _context, view, state) =>
      buttonPage(view, state, '/change-email', emailChangeMessages[view.language].pages.confirm),
    async submit(deps, context) {
      const user = await confirmEmailChange(deps, context.actor, context.body)
      const words = emailChangeMessages[languageOfReader(context)].pages.confirm
      const spent = [context.cookies.link.clear()]
      return context.me?.user.id === user.id
        ? redirectAnswer(deps, context, '/account', words.doneSignedIn, spent)
        : redirectAnswer(deps, context, '/login', words.done, spent)
    },
    recover: expiredLink((language) => expired(emailChangeMessages[language].pages.confirm, '/account')),
  }),

  ...formPage({
    path: '/change-email/undo',
    summary: 'Take the account back to its former e-mail address',
    auth: 'optional',
    limit: 'token',
    query,
    body,
    errors: [],
    statuses: { token_invalid: 400 },
    open: (deps, context) => openLink(deps, context, 'email_change_undo'),
    view: (_deps, _context, view, state) =>
      buttonPage(view, state, '/change-email/undo', emailChangeMessages[view.language].pages.undo),
    async submit(deps, context) {
      await undoEmailChange(deps, context.actor, context.body)
      const words = emailChangeMessages[languageOfReader(context)].pages.undo
      return redirectAnswer(deps, context, '/login', words.done, [context.cookies.link.clear()])
    },
    recover: expiredLink((language) => expired(emailChangeMessages[language].pages.undo, '/login')),
  }),
]

/** Only looks at the link: whoever fetches it, such as a scanner of mails, spends nothing. @throws token_invalid */
async function openLink(
  deps: Deps,
  context: RouteContext<'optional', undefined, z.infer<typeof query>, undefined>,
  purpose: TokenPurpose,
): Promise<Answer | FormState> {
  const link = readLinkToken(deps, context, context.query.token)
  if ('answer' in link) return link.answer

  const { token } = link
  if (token === undefined) throw new AuthError('token_invalid')
  await peekToken(deps, [purpose], token)
  return { values: { token } }
}

function expired(words: { readonly [Key in 'expiredTitle' | 'expired' | 'way']: string }, href: string): Notice {
  return { title: words.expiredTitle, text: words.expired, ways: [[words.way, href]] }
}

function buttonPage(
  view: PageView,
  state: FormState,
  action: string,
  words: { readonly [Key in 'title' | 'lead' | 'submit']: string },
): PageContent {
  const content = html`<div class="card">
<h1>${words.title}</h1>
<p>${words.lead}</p>
${form(view, state, { action, fields: [{ name: 'token', kind: 'hidden', label: '' }], submit: words.submit })}
</div>`
  return { title: words.title, body: content }
}
