import { z } from 'zod'
import type { LiveSession } from '../../domain/session-cache.ts'
import type { Route } from '../../http/route.ts'
import { nameField, textField, usernameField } from '../../http/wire.ts'
import { languageNames, languageOf, languages } from '../../kernel/languages.ts'
import { type AccountSection, accountPage } from '../../pages/account-page.ts'
import { type Field, type FormState, form, nameFields } from '../../pages/form.ts'
import { formPage } from '../../pages/form-page.ts'
import { languageOfReader, type PageView, redirectAnswer } from '../../pages/page-context.ts'
import { pageWords } from '../../pages/words/index.ts'
import { pictureSection } from './avatar-pages.ts'
import { updateProfile } from './update-profile.ts'
import { profileWords } from './words/index.ts'

const line = textField(200).optional()

/** Returns the routes of the account page: picture and profile, and the sections of other flows. */
export function profilePages(others: readonly AccountSection[]): readonly Route[] {
  return formPage({
    path: '/account',
    summary: 'Your account',
    access: { by: ['session'] },
    limit: 'change',
    body: z.strictObject({
      first_name: nameField.optional(),
      last_name: nameField.optional(),
      username: usernameField.optional(),
      phone_number: line,
      website: line,
      github_link: line,
      birth_date: line,
      locale: line,
    }),
    errors: ['username_taken'],
    open: (_deps, { me }) => ({ values: valuesOf(me) }),
    view(deps, context, view, state) {
      const { me } = context
      const profile = profileSection(deps, me, view, state)
      if (state.error) return accountPage(context, view, profile.title, [profile])

      const sections = [pictureSection, () => profile, ...others]
      return accountPage(
        context,
        view,
        pageWords[view.language].account.account,
        sections.map((section) => section(deps, me, view, { values: {} })),
      )
    },
    async submit(deps, context) {
      const { actor, body, cookies, me } = context
      await updateProfile(deps, actor, me, {
        firstName: body.first_name ?? '',
        lastName: body.last_name ?? '',
        username: deps.config.username === 'off' ? body.username : (body.username ?? null),
        profile: {
          phoneNumber: body.phone_number ?? null,
          website: body.website ?? null,
          githubLink: body.github_link ?? null,
          birthDate: body.birth_date ?? null,
          locale: body.locale ?? null,
        },
      })

      // The last choice of a language wins: here over an earlier one in the footer.
      const isChosen = (body.locale ?? null) !== me.user.profile.locale
      const language = (isChosen && languageOf(body.locale)) || languageOfReader(context)
      const { saved } = profileWords[language].pages.profile
      return redirectAnswer(deps, context, '/account', saved, isChosen ? [cookies.language.clear()] : [])
    },
  })
}

function valuesOf({ user }: LiveSession): FormState['values'] {
  return {
    first_name: user.firstName,
    last_name: user.lastName,
    username: user.username ?? '',
    phone_number: user.profile.phoneNumber ?? '',
    website: user.profile.website ?? '',
    github_link: user.profile.githubLink ?? '',
    birth_date: user.profile.birthDate ?? '',
    locale: user.profile.locale ?? '',
  }
}

const profileSection: AccountSection = ({ config }, me, view, state) => {
  const words = profileWords[view.language].pages.profile
  const taken = state.error?.code === 'username_taken'
  const username: Field = {
    name: 'username',
    kind: 'text',
    label: words.username,
    autocomplete: 'username',
    maxLength: 150,
    ...(config.username === 'optional' && { optional: true }),
    ...(taken && { fault: pageWords[view.language].faults.username_taken }),
  }
  const body = form({ ...view, action: '/account' }, state, {
    fields: [
      ...nameFields(words),
      ...(config.username === 'off' ? [] : [username]),
      { name: 'phone_number', kind: 'tel', label: words.phone, autocomplete: 'tel', optional: true },
      { name: 'website', kind: 'url', label: words.website, autocomplete: 'url', hint: words.webHint, optional: true },
      { name: 'github_link', kind: 'url', label: words.github, hint: words.webHint, optional: true },
      { name: 'birth_date', kind: 'date', label: words.birthDate, autocomplete: 'bday', optional: true },
      { name: 'locale', kind: 'select', label: words.language, options: languageOptions(view, me) },
    ],
    submit: words.submit,
  })
  return { title: words.title, body }
}

/** Returns the supported languages, and the profile's if it is not one of them: such as `de-CH`, set by the API. */
function languageOptions(view: PageView, { user }: LiveSession): readonly (readonly [string, string])[] {
  const { locale } = user.profile
  const ours = languages.map((language) => [language, languageNames[language]] as const)
  const isOther = locale !== null && !ours.some(([language]) => language === locale)
  return [
    ['', profileWords[view.language].pages.profile.asBrowser],
    ...ours,
    ...(isOther ? [[locale, locale] as const] : []),
  ]
}
