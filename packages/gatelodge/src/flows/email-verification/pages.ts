import { z } from 'zod'
import { emailField, passwordField, tokenField } from '../../http/wire.ts'
import { form } from '../../pages/form.ts'
import { formPage } from '../../pages/form-page.ts'
import { html } from '../../pages/html.ts'
import { readLinkToken } from '../../pages/link-token.ts'
import { expiredLink, notice } from '../../pages/notice.ts'
import { languageOfReader, redirectAnswer } from '../../pages/page-context.ts'
import { pageWords } from '../../pages/words/index.ts'
import { resendVerification } from './resend-verification.ts'
import { needsChosenPassword, verifyEmail } from './verify-email.ts'
import { emailVerificationWords } from './words/index.ts'

export const emailVerificationPages = [
  ...formPage({
    path: '/verify-email',
    summary: 'Confirm an email address with its mailed link; without a link, explain where to find it',
    access: { by: ['anyone', 'session'] },
    limit: 'token',
    query: z.object({ token: tokenField.optional().catch(undefined) }),
    body: z.strictObject({ token: tokenField, password: passwordField.optional() }),
    errors: ['password_required', 'incorrect_password'],
    statuses: { token_invalid: 400 },
    async open(deps, context) {
      const link = readLinkToken(deps, context, context.query?.token)
      if ('answer' in link) return link.answer

      const { token } = link
      if (token === undefined) return { values: {} }
      const asks = await needsChosenPassword(deps, context.actor, { token })
      return { values: { token, ...(asks && { password: '' }) } }
    },
    view(_deps, _context, view, state) {
      const { sent, confirm: words } = emailVerificationWords[view.language].pages
      if (state.values.token === undefined) {
        return notice({
          title: sent.title,
          text: sent.text,
          ways: [
            [sent.signIn, '/login'],
            [sent.again, '/verify-email/resend'],
          ],
        })
      }

      const code = state.error?.code
      const asks = 'password' in state.values || code === 'password_required'
      const body = html`<div class="card">
<h1>${words.title}</h1>
<p>${asks ? words.protect : words.lead}</p>
${form(view, state, {
  fields: [
    { name: 'token', kind: 'hidden', label: '' },
    ...(asks
      ? [
          {
            name: 'password',
            kind: 'password',
            label: words.password,
            autocomplete: 'current-password',
            autofocus: true,
            fault: code === 'password_required' ? pageWords[view.language].faults.required : undefined,
          } as const,
        ]
      : []),
  ],
  submit: words.submit,
})}
</div>`
      return { title: words.title, body }
    },
    async submit(deps, context) {
      const { actor, body, cookies, me } = context
      await verifyEmail(deps, actor, body)
      const words = emailVerificationWords[languageOfReader(context)].pages.confirm
      const spent = [cookies.link.clear(), cookies.signUp.clear()]
      return me
        ? redirectAnswer(deps, context, '/account', words.doneSignedIn, spent)
        : redirectAnswer(deps, context, '/login', words.done, spent)
    },
    recover: expiredLink((language) => {
      const words = emailVerificationWords[language].pages.confirm
      return {
        title: words.expiredTitle,
        text: words.expired,
        ways: [
          [words.again, '/verify-email/resend'],
          [words.signIn, '/login'],
        ],
      }
    }),
  }),

  ...formPage({
    path: '/verify-email/resend',
    summary: 'Request a new verification link',
    access: { by: ['anyone', 'session'] },
    limit: 'mailRequest',
    body: z.strictObject({ email: emailField }),
    errors: ['user_not_found'],
    view(_deps, _context, view, state) {
      const words = emailVerificationWords[view.language].pages.resend
      const body = html`<div class="card">
<h1>${words.title}</h1>
<p>${words.lead}</p>
${form(view, state, {
  fields: [
    {
      name: 'email',
      kind: 'email',
      label: words.email,
      autocomplete: 'email',
      maxLength: 254,
      autofocus: true,
      fault: state.error?.code === 'user_not_found' ? words.nothingWaits : undefined,
    },
  ],
  submit: words.submit,
})}
<p class="ways"><a href="/login">${words.back}</a></p>
</div>`
      return { title: words.title, body }
    },
    async submit(deps, context) {
      await resendVerification(deps, context.actor, context.body)
      const words = emailVerificationWords[languageOfReader(context)].pages.resend
      return redirectAnswer(deps, context, '/verify-email', words.sent, [context.cookies.link.clear()])
    },
  }),
]
