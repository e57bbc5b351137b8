import { z } from 'zod'
import { setDeviceCookie } from '../../http/sign-in-answer.ts'
import { emailField, passwordField, tokenField } from '../../http/wire.ts'
import { assertConfirmed, form } from '../../pages/form.ts'
import { formPage } from '../../pages/form-page.ts'
import { html } from '../../pages/html.ts'
import { readLinkToken } from '../../pages/link-token.ts'
import { expiredLink } from '../../pages/notice.ts'
import { languageOfReader, redirectAnswer } from '../../pages/page-context.ts'
import { requestPasswordReset } from './request-reset.ts'
import { resetPassword } from './reset-password.ts'
import { passwordResetWords } from './words/index.ts'

export const passwordResetPages = [
  ...formPage({
    path: '/forgot-password',
    summary: 'Request a password reset link',
    access: { by: ['anyone', 'session'] },
    limit: 'mailRequest',
    body: z.strictObject({ email: emailField }),
    errors: [],
    view(_deps, _context, view, state) {
      const words = passwordResetWords[view.language].pages.forgot
      const body = html`<div class="card">
<h1>${words.title}</h1>
<p>${words.lead}</p>
${form(view, state, {
  fields: [
    { name: 'email', kind: 'email', label: words.email, autocomplete: 'email', maxLength: 254, autofocus: true },
  ],
  submit: words.submit,
})}
<p class="ways"><a href="/login">${words.back}</a></p>
</div>`
      return { title: words.title, body }
    },
    async submit(deps, context) {
      await requestPasswordReset(deps, context.actor, context.body)
      const words = passwordResetWords[languageOfReader(context)].pages.forgot
      return redirectAnswer(deps, context, '/login', words.sent)
    },
  }),

  ...formPage({
    path: '/reset-password',
    summary: 'Choose a new password with a mailed link',
    access: { by: ['anyone', 'session'] },
    limit: 'token',
    query: z.object({ token: tokenField.optional().catch(undefined) }),
    body: z.strictObject({ token: tokenField, new_password: passwordField, password_confirmation: passwordField }),
    errors: [],
    statuses: { token_invalid: 400 },
    open(deps, context) {
      const link = readLinkToken(deps, context, context.query?.token)
      if ('answer' in link) return link.answer
      if (link.token !== undefined) return { values: { token: link.token } }
      return redirectAnswer(deps, context, '/forgot-password')
    },
    view({ config }, _context, view, state) {
      const words = passwordResetWords[view.language].pages.reset
      const body = html`<div class="card">
<h1>${words.title}</h1>
${form(view, state, {
  fields: [
    { name: 'token', kind: 'hidden', label: '' },
    {
      name: 'new_password',
      kind: 'new-password',
      label: words.password,
      autocomplete: 'new-password',
      hint: words.hint(config.passwordMinLength),
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
      const { token, new_password, password_confirmation } = context.body
      assertConfirmed(new_password, password_confirmation)

      const { deviceCookie } = await resetPassword(deps, context.actor, { token, newPassword: new_password })
      const words = passwordResetWords[languageOfReader(context)].pages.reset
      const cookies = [context.cookies.link.clear(), setDeviceCookie(context.cookies, deviceCookie)]
      return redirectAnswer(deps, context, '/login', words.done, cookies)
    },
    recover: expiredLink((language) => {
      const words = passwordResetWords[language].pages.reset
      return { title: words.expiredTitle, text: words.expired, ways: [[words.again, '/forgot-password']] }
    }),
  }),
]
