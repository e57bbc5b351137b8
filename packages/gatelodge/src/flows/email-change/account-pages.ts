import { z } from 'zod'
import type { Route } from '../../http/route.ts'
import { emailField, passwordField } from '../../http/wire.ts'
import { type AccountSection, accountPage } from '../../pages/account-page.ts'
import { form } from '../../pages/form.ts'
import { formPage } from '../../pages/form-page.ts'
import { html } from '../../pages/html.ts'
import { languageOfReader, redirectAnswer } from '../../pages/page-context.ts'
import { requestEmailChange } from './request-change.ts'
import { emailChangeWords } from './words/index.ts'

/** Shows the address of an account with the form to change it. */
export const emailSection: AccountSection = (_deps, { user }, view, state) => {
  const words = emailChangeWords[view.language].pages.account
  const unconfirmed = html`<p>${words.unconfirmed} <a href="/verify-email/resend">${words.resend}</a></p>`
  const body = html`<p>${words.current}<br><strong dir="ltr">${user.email}</strong></p>
${!user.emailVerified && unconfirmed}
${form({ ...view, action: '/account/email' }, state, {
  account: user.email,
  fields: [
    { name: 'new_email', kind: 'email', label: words.new, autocomplete: 'email', maxLength: 254 },
    { name: 'password', kind: 'password', label: words.password, autocomplete: 'current-password' },
  ],
  submit: words.submit,
})}`
  return { title: words.title, body }
}

export const emailAccountPages: readonly Route[] = formPage({
  path: '/account/email',
  summary: 'Request a change of email address',
  access: { by: ['session'] },
  limit: 'password',
  body: z.strictObject({ new_email: emailField, password: passwordField }),
  errors: ['incorrect_password'],
  view(deps, context, view, state) {
    const section = emailSection(deps, context.me, view, state)
    return accountPage(context, view, section.title, [section])
  },
  async submit(deps, context) {
    const { new_email, password } = context.body
    await requestEmailChange(deps, context.actor, context.me, { newEmail: new_email, password })
    const { requested } = emailChangeWords[languageOfReader(context)].pages.account
    return redirectAnswer(deps, context, '/account', requested)
  },
})
