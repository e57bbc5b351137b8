import { z } from 'zod'
import type { ApiToken } from '../../domain/api-tokens.ts'
import { scopesOf } from '../../domain/scopes.ts'
import { type Route, route } from '../../http/route.ts'
import { textField } from '../../http/wire.ts'
import { day, second } from '../../kernel/clock.ts'
import { durationInWords } from '../../kernel/duration.ts'
import { localeOf } from '../../kernel/languages.ts'
import { accountPage, type Section } from '../../pages/account-page.ts'
import { actionPage } from '../../pages/action-page.ts'
import { type FormState, form } from '../../pages/form.ts'
import { formPage } from '../../pages/form-page.ts'
import { type Html, html } from '../../pages/html.ts'
import { moment } from '../../pages/moment.ts'
import { languageOfReader, type PageView, pageAnswer, redirectAnswer } from '../../pages/page-context.ts'
import { pageWords } from '../../pages/words/index.ts'
import { createApiToken } from './create-token.ts'
import { listApiTokens, revokeApiToken } from './own-tokens.ts'
import { apiTokenNameField } from './routes.ts'
import { apiTokenWords } from './words/index.ts'

const list = '/account/tokens'
/** The lifetimes that a user can choose, in days. */
const lives = ['7', '30', '90', '365'] as const

export const apiTokenPages: readonly Route[] = [
  route({
    method: 'GET',
    path: list,
    surface: 'page',
    summary: 'Your API tokens',
    access: { by: ['session'] },
    origin: 'read',
    limit: 'none',
    answers: { 200: { description: 'Your API tokens, newest first', schema: 'html' } },
    errors: [],
    async handle(deps, context) {
      const tokens = await listApiTokens(deps, context.actor, context.me)
      return pageAnswer(deps, context, (view) => {
        const title = pageWords[view.language].account.tokens
        const sections = [{ title, body: listOf(view, tokens) }, newSection(view, { values: { expires_in: '30' } })]
        return accountPage(context, view, title, sections)
      })
    },
  }),

  ...formPage({
    path: `${list}/new`,
    summary: 'Create an API token',
    access: { by: ['session'], fresh: true },
    limit: 'change',
    body: z.strictObject({
      name: apiTokenNameField,
      scopes: textField(1_400).optional(),
      expires_in: z.enum(lives),
    }),
    errors: [],
    open: () => ({ values: { expires_in: '30' } }),
    view(_deps, context, view, state) {
      const section = newSection(view, state)
      return accountPage(context, view, section.title, [section])
    },
    async submit(deps, context) {
      const { name, scopes = '', expires_in } = context.body
      const expiresIn = (Number(expires_in) * day) / second
      const { text } = await createApiToken(deps, context.actor, context.me, {
        name,
        scopes: scopesOf(scopes),
        expiresIn,
      })
      const { made } = apiTokenWords[languageOfReader(context)].pages.new
      return redirectAnswer(deps, context, list, { text: made, copy: text })
    },
  }),

  ...actionPage({
    path: `${list}/revoke`,
    summary: 'Revoke one of your API tokens',
    on: list,
    limit: 'change',
    body: z.strictObject({ id: textField(256) }),
    errors: ['not_found'],
    async submit(deps, context) {
      await revokeApiToken(deps, context.actor, context.me, context.body)
      return redirectAnswer(deps, context, list, apiTokenWords[languageOfReader(context)].pages.revoked)
    },
    recover(deps, failed, error) {
      if (error.code !== 'not_found') return undefined
      return redirectAnswer(deps, failed, list, apiTokenWords[languageOfReader(failed)].pages.gone)
    },
  }),
]

function listOf(view: PageView, tokens: readonly ApiToken[]): Html {
  const words = apiTokenWords[view.language].pages
  return html`<p>${words.lead}</p>
${tokens.length === 0 ? html`<p class="muted">${words.none}</p>` : html`<ul class="rows">${tokens.map((token, index) => tokenRow(view, token, `token-${index + 1}`))}</ul>`}`
}

function tokenRow(view: PageView, token: ApiToken, id: string): Html {
  const words = apiTokenWords[view.language].pages
  const { language } = view
  const revoke = form(
    { ...view, action: `${list}/revoke` },
    { values: { id: token.id } },
    {
      fields: [{ name: 'id', kind: 'hidden', label: '' }],
      submit: words.revoke,
      look: 'quiet',
      about: id,
    },
  )
  return html`<li class="row">
<h2 id="${id}"><bdi>${token.name}</bdi></h2>
<dl class="facts">
<div><dt>${words.scopes}</dt><dd>${token.scopes.length === 0 ? words.noScopes : html`<bdi>${token.scopes.join(' ')}</bdi>`}</dd></div>
<div><dt>${words.created}</dt><dd>${moment(token.createdAt, language)}</dd></div>
<div><dt>${words.lastUsed}</dt><dd>${token.lastUsedAt === null ? words.never : moment(token.lastUsedAt, language)}</dd></div>
<div><dt>${words.expires}</dt><dd>${moment(token.expiresAt, language)}</dd></div>
</dl>
${revoke}
</li>`
}

function newSection(view: PageView, state: FormState): Section {
  const words = apiTokenWords[view.language].pages.new
  const options = lives.map((days) => [days, durationInWords(Number(days) * day, localeOf(view.language))] as const)
  const body = form({ ...view, action: `${list}/new` }, state, {
    fields: [
      { name: 'name', kind: 'text', label: words.name, hint: words.nameHint, maxLength: 64 },
      { name: 'scopes', kind: 'text', label: words.scopes, hint: words.scopesHint, maxLength: 1_400, optional: true },
      { name: 'expires_in', kind: 'select', label: words.expiresIn, options },
    ],
    submit: words.submit,
  })
  return { title: words.title, body }
}
