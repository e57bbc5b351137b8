import { z } from 'zod'
import type { Route } from '../../http/route.ts'
import { safeRedirect } from '../../http/safe-redirect.ts'
import { passwordField } from '../../http/wire.ts'
import { AuthError } from '../../kernel/errors.ts'
import { assertConfirmed, form } from '../../pages/form.ts'
import { formPage } from '../../pages/form-page.ts'
import { html } from '../../pages/html.ts'
import { languageOfReader, redirectAnswer } from '../../pages/page-context.ts'
import { readPageTicket, signInRedirect } from '../../pages/sign-in-redirect.ts'
import { setNewPassword } from './new-password.ts'
import { signInWords } from './words/index.ts'

/** The sign-in step that replaces an initial password. The previous page set its ticket as a cookie. */
export const newPasswordPages: readonly Route[] = formPage({
  path: '/login/new-password',
  summary: 'Replace an initial password',
  access: { by: ['anyone', 'session'] },
  limit: 'token',
  body: z.strictObject({ new_password: passwordField, password_confirmation: passwordField }),
  errors: [],
  open(deps, context) {
    if (!readPageTicket(deps, context)) throw new AuthError('token_invalid')
    return { values: {} }
  },
  view(deps, context, view, state) {
    const words = signInWords[view.language].pages.newPassword
    const account = readPageTicket(deps, context)?.account
    const body = html`<div class="card">
<h1>${words.title}</h1>
<p>${words.lead}</p>
${form(view, state, {
  ...(account !== undefined && { account }),
  fields: [
    {
      name: 'new_password',
      kind: 'new-password',
      label: words.password,
      autocomplete: 'new-password',
      hint: words.hint(deps.config.passwordMinLength),
      autofocus: true,
    },
    { name: 'password_confirmation', kind: 'password', label: words.confirmation, autocomplete: 'new-password' },
  ],
  submit: words.submit,
})}
</div>`
    return { title: words.title, body }
  },
  async submit(deps, context) {
    const { new_password: newPassword, password_confirmation } = context.body
    assertConfirmed(newPassword, password_confirmation)
    const given = readPageTicket(deps, context)
    if (!given) throw new AuthError('token_invalid')

    const outcome = await setNewPassword(deps, context.actor, { changeToken: given.ticket, newPassword })
    const { done } = signInWords[languageOfReader(context)].pages.newPassword
    const cookies = [context.cookies.ticket.clear()]
    return signInRedirect(deps, context, outcome, {
      next: safeRedirect(deps.config, given.next, '/account'),
      message: done,
      cookies,
    })
  },
  recover(deps, failed, error) {
    if (error.code !== 'token_invalid') return undefined
    const { expired } = signInWords[languageOfReader(failed)].pages.newPassword
    return redirectAnswer(deps, failed, '/login', expired, [failed.cookies.ticket.clear()])
  },
})
