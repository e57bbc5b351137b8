import { z } from 'zod'
import type { Route } from '../../http/route.ts'
import { passwordField } from '../../http/wire.ts'
import { type AccountSection, accountPage } from '../../pages/account-page.ts'
import { assertConfirmed, form } from '../../pages/form.ts'
import { formPage } from '../../pages/form-page.ts'
import { languageOfReader, redirectAnswer } from '../../pages/page-context.ts'
import { changePassword } from './change-password.ts'
import { passwordChangeWords } from './words/index.ts'

/** Shows the form to change the password of an account. */
export const passwordSection: AccountSection = ({ config }, { user }, view, state) => {
  const words = passwordChangeWords[view.language].pages
  const body = form({ ...view, action: '/account/password' }, state, {
    account: user.email,
    fields: [
      { name: 'old_password', kind: 'password', label: words.old, autocomplete: 'current-password' },
      {
        name: 'new_password',
        kind: 'new-password',
        label: words.new,
        autocomplete: 'new-password',
        hint: words.hint(config.passwordMinLength),
      },
      { name: 'password_confirmation', kind: 'password', label: words.confirmation, autocomplete: 'new-password' },
    ],
    submit: words.submit,
  })
  return { title: words.title, body }
}

export const passwordChangePages: readonly Route[] = formPage({
  path: '/account/password',
  summary: 'Change your password',
  access: { by: ['session'] },
  limit: 'password',
  body: z.strictObject({
    old_password: passwordField,
    new_password: passwordField,
    password_confirmation: passwordField,
  }),
  errors: ['incorrect_password'],
  view(deps, context, view, state) {
    const section = passwordSection(deps, context.me, view, state)
    return accountPage(context, view, section.title, [section])
  },
  async submit(deps, context) {
    const { old_password, new_password, password_confirmation } = context.body
    assertConfirmed(new_password, password_confirmation)

    await changePassword(deps, context.actor, context.me, { oldPassword: old_password, newPassword: new_password })
    const { changed } = passwordChangeWords[languageOfReader(context)].pages
    return redirectAnswer(deps, context, '/account', changed)
  },
})
