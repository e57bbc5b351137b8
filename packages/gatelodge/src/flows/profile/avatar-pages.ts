import { z } from 'zod'
import { initialsOf } from '../../domain/avatars/initials.ts'
import type { User } from '../../domain/users.ts'
import type { Route } from '../../http/route.ts'
import type { ErrorCode } from '../../kernel/errors.ts'
import { type AccountSection, accountPage } from '../../pages/account-page.ts'
import { actionPage } from '../../pages/action-page.ts'
import { form } from '../../pages/form.ts'
import { formPage } from '../../pages/form-page.ts'
import { type Html, html } from '../../pages/html.ts'
import { languageOfReader, redirectAnswer } from '../../pages/page-context.ts'
import { avatarUpload } from './avatar-routes.ts'
import { changeAvatar, removeAvatar } from './change-avatar.ts'
import { profileWords } from './words/index.ts'

const told = ['image_invalid', 'image_too_large'] as const satisfies ErrorCode[]

/** Shows the picture of an account with its forms. */
export const pictureSection: AccountSection = (_deps, { user }, view, state) => {
  const words = profileWords[view.language].pages.picture
  const code = told.find((known) => known === state.error?.code)
  const body = html`<div class="picture">
${picture(user, words.current)}
${user.avatarUrl !== null && form({ ...view, action: '/account/avatar/remove' }, { values: {} }, { fields: [], submit: words.remove, look: 'quiet' })}
</div>
${form({ ...view, action: '/account/avatar' }, state, {
  fields: [
    {
      name: avatarUpload.field,
      kind: 'file',
      label: words.file,
      accept: avatarUpload.types,
      hint: words.hint,
      ...(code && { fault: words[code] }),
    },
  ],
  submit: words.submit,
})}`
  return { title: words.title, body }
}

export const avatarPages: readonly Route[] = [
  ...formPage<'session', Uint8Array>({
    path: '/account/avatar',
    summary: 'Your picture',
    access: { by: ['session'] },
    limit: 'upload',
    upload: avatarUpload,
    errors: told,
    view(deps, context, view, state) {
      const section = pictureSection(deps, context.me, view, state)
      return accountPage(context, view, section.title, [section])
    },
    async submit(deps, context) {
      await changeAvatar(deps, context.actor, context.me, context.body)
      const { changed } = profileWords[languageOfReader(context)].pages.picture
      return redirectAnswer(deps, context, '/account', changed)
    },
  }),

  ...actionPage({
    path: '/account/avatar/remove',
    summary: 'Remove your picture',
    on: '/account',
    limit: 'change',
    body: z.strictObject({}),
    errors: [],
    async submit(deps, context) {
      await removeAvatar(deps, context.actor, context.me)
      const { removed } = profileWords[languageOfReader(context)].pages.picture
      return redirectAnswer(deps, context, '/account', removed)
    },
  }),
]

function picture(user: User, label: string): Html {
  if (user.avatarUrl !== null)
    return html`<img class="avatar" src="${user.avatarUrl}" alt="${label}" width="96" height="96">`

  const { text, colour } = initialsOf(user)
  return html`<span class="avatar initials initials-${colour}" aria-hidden="true">${text}</span>`
}
