import { z } from 'zod'
import { safeRedirect } from '../../http/safe-redirect.ts'
import { passwordField, textField } from '../../http/wire.ts'
import type { ErrorCode } from '../../kernel/errors.ts'
import { form } from '../../pages/form.ts'
import { formPage } from '../../pages/form-page.ts'
import { html } from '../../pages/html.ts'
import { redirectAnswer } from '../../pages/page-context.ts'
import { signInRedirect } from '../../pages/sign-in-redirect.ts'
import { signIn } from './sign-in.ts'
import { signInWords } from './words/index.ts'

const start = '/account'
const told = ['invalid_credentials', 'account_inactive', 'email_unverified'] as const satisfies ErrorCode[]

export const signInPages = [
  ...formPage({
    path: '/login',
    summary: 'Sign in',
    access: { by: ['anyone', 'session'] },
    limit: 'signIn',
    query: z.object({ next: z.string().optional().catch(undefined) }),
    body: z.strictObject({
      identifier: textField(254, 1),
      password: passwordField,
      remember: z.literal('on').optional(),
      next: z.string().optional(),
    }),
    errors: told,
    open(deps, { me, query, cookies }) {
      const next = safeRedirect(deps.config, query?.next, start)
      return me ? redirectAnswer(deps, { cookies }, next) : { values: { next } }
    },
    view(deps, _context, view, state) {
      const words = signInWords[view.language].pages
      const code = told.find((known) => known === state.error?.code)
      const next = safeRedirect(deps.config, state.values.next, start)
      const body = html`<div class="card">
<h1>${words.title}</h1>
${form(
  view,
  { ...state, values: { ...state.values, next } },
  {
    fields: [
      {
        name: 'identifier',
        kind: 'text',
        label: words.identifier,
        autocomplete: 'username',
        maxLength: 254,
        autofocus: true,
      },
      { name: 'password', kind: 'password', label: words.password, autocomplete: 'current-password' },
      { name: 'remember', kind: 'checkbox', label: words.remember },
      { name: 'next', kind: 'hidden', label: '' },
    ],
    submit: words.submit,
    ...(code && { problem: words[code] }),
  },
)}
${code === 'email_unverified' && html`<p class="ways"><a href="/verify-email/resend">${words.resend}</a></p>`}
<p class="ways"><a href="/forgot-password">${words.forgot}</a></p>
${(deps.config.registration === 'verify' || deps.config.registration === 'instant') && html`<p class="ways"><a href="/register">${words.register}</a></p>`}
</div>`
      const here = next === start ? '/login' : `/login?${new URLSearchParams({ next })}`
      return { title: words.title, body, here }
    },
    async submit(deps, context) {
      const { next, remember, ...given } = context.body
      const outcome = await signIn(deps, context.actor, { ...given, kind: 'cookie', remember: remember === 'on' })
      return signInRedirect(deps, context, outcome, { next: safeRedirect(deps.config, next, start) })
    },
  }),
]
