import { z } from 'zod'
import type { Deps } from '../../domain/deps.ts'
import { emailField, nameField, passwordField, usernameField } from '../../http/wire.ts'
import { readAll } from '../../kernel/errors.ts'
import { assertConfirmed, type Field, type FormState, form, nameFields } from '../../pages/form.ts'
import { formPage } from '../../pages/form-page.ts'
import { html } from '../../pages/html.ts'
import { legalLinks } from '../../pages/legal-links.ts'
import { notice } from '../../pages/notice.ts'
import { languageOfReader, type PageView, redirectAnswer } from '../../pages/page-context.ts'
import { signInRedirect } from '../../pages/sign-in-redirect.ts'
import { pageWords } from '../../pages/words/index.ts'
import { readSignUp, signUp } from './sign-up.ts'
import { signUpCookies } from './sign-up-cookie.ts'
import { signUpWords } from './words/index.ts'

export const signUpPages = [
  ...formPage({
    path: '/register',
    summary: 'Sign up',
    access: { by: ['anyone', 'session'] },
    limit: 'signUp',
    body: z.strictObject({
      email: emailField,
      username: usernameField.optional(),
      first_name: nameField.optional(),
      last_name: nameField.optional(),
      password: passwordField,
      password_confirmation: passwordField,
    }),
    errors: ['registration_closed', 'username_taken', 'email_taken'],
    open: (deps, { me, cookies }) => (me ? redirectAnswer(deps, { cookies }, '/account') : { values: {} }),
    view(deps, _context, view, state) {
      const words = signUpWords[view.language].pages
      if (deps.config.registration === 'admin' || deps.config.registration === 'closed')
        return notice({ title: words.closedTitle, text: words.closed, ways: [[words.closedWay, '/login']] })

      const body = html`<div class="card">
<h1>${words.title}</h1>
${form(view, state, { fields: fieldsOf(deps, view, state), submit: words.submit })}
${legalLinks(deps.theme, view.language, pageWords[view.language].layout.readFirst)}
<p class="ways"><a href="/login">${words.signIn}</a></p>
</div>`
      return { title: words.title, body }
    },
    async submit(deps, context) {
      const { actor, body, cookies } = context
      const wish = {
        email: body.email,
        password: body.password,
        username: body.username,
        firstName: body.first_name,
        lastName: body.last_name,
        session: 'cookie',
      } as const
      readAll(
        () => readSignUp(deps, wish),
        () => assertConfirmed(body.password, body.password_confirmation),
      )

      const result = await signUp(deps, actor, wish)
      // The link of an earlier sign-up in this browser is no longer the one to confirm.
      const set = [...signUpCookies(deps, cookies, result), cookies.link.clear()]
      if (result.status === 'verification_required')
        return redirectAnswer(deps, context, '/verify-email', undefined, set)

      const words = signUpWords[languageOfReader(context)].pages
      return signInRedirect(deps, context, result.outcome, { next: '/account', message: words.welcome, cookies: set })
    },
  }),
]

function fieldsOf({ config }: Deps, { language }: PageView, { error }: FormState): Field[] {
  const words = signUpWords[language].pages
  const username: Field = {
    name: 'username',
    kind: 'text',
    label: words.username,
    autocomplete: 'username',
    hint: words.usernameHint,
    maxLength: 64,
    fault: error?.code === 'username_taken' ? pageWords[language].faults.username_taken : undefined,
    ...(config.username === 'optional' && { optional: true }),
  }
  return [
    {
      name: 'email',
      kind: 'email',
      label: words.email,
      autocomplete: 'email',
      maxLength: 254,
      autofocus: true,
      fault: error?.code === 'email_taken' ? words.emailTaken : undefined,
    },
    ...(config.username === 'off' ? [] : [username]),
    ...nameFields(words),
    {
      name: 'password',
      kind: 'new-password',
      label: words.password,
      autocomplete: 'new-password',
      hint: words.hint(config.passwordMinLength),
    },
    { name: 'password_confirmation', kind: 'password', label: words.confirmation, autocomplete: 'new-password' },
  ]
}
