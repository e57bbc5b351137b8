import { z } from 'zod'
import type { Route } from '../../http/route.ts'
import { safeRedirect } from '../../http/safe-redirect.ts'
import { passwordField } from '../../http/wire.ts'
import type { ErrorCode } from '../../kernel/errors.ts'
import { form } from '../../pages/form.ts'
import { formPage } from '../../pages/form-page.ts'
import { html } from '../../pages/html.ts'
import { languageOfReader } from '../../pages/page-context.ts'
import { signInRedirect } from '../../pages/sign-in-redirect.ts'
import { reauthenticate } from './reauthenticate.ts'
import { signInWords } from './words/index.ts'

const fallback = '/account'
const told = ['invalid_credentials', 'account_inactive', 'email_unverified'] as const satisfies ErrorCode[]

/** The page to which others redirect when an operation requires a fresh proof. It creates a new session and redirects to `next`. */
export const reauthenticatePages: readonly Route[] = formPage({
  path: '/account/reauthenticate',
  summary: 'Re-authenticate',
  access: { by: ['session'] },
  limit: 'password',
  query: z.object({ next: z.string().optional().catch(undefined) }),
  body: z.strictObject({ password: passwordField, next: z.string().optional() }),
  errors: ['incorrect_password', ...told],
  open: ({ config }, { query }) => ({ values: { next: safeRedirect(config, query.next, fallback) } }),
  view(_deps, { me }, view, state) {
    const { reauthenticate: words, password, ...others } = signInWords[view.language].pages
    const code = told.find((known) => known === state.error?.code)
    const body = html`<div class="card">
<h1>${words.title}</h1>
<p>${words.lead}</p>
${form(view, state, {
  account: me.user.email,
  fields: [
    { name: 'password', kind: 'password', label: password, autocomplete: 'current-password', autofocus: true },
    { name: 'next', kind: 'hidden', label: '' },
  ],
  submit: words.submit,
  ...(code && { problem: others[code] }),
})}
</div>`
    return { title: words.title, body }
  },
  async submit(deps, context) {
    const { next, password } = context.body
    const outcome = await reauthenticate(deps, context.actor, context.me, { password })
    const { done } = signInWords[languageOfReader(context)].pages.reauthenticate
    return signInRedirect(deps, context, outcome, { next: safeRedirect(deps.config, next, fallback), message: done })
  },
})
