import { z } from 'zod'
import type { AuditEvent } from '../../domain/audit.ts'
import { type Route, route } from '../../http/route.ts'
import { passwordField } from '../../http/wire.ts'
import { type AccountSection, accountPage, deviceName, type Section } from '../../pages/account-page.ts'
import { actionPage } from '../../pages/action-page.ts'
import { form } from '../../pages/form.ts'
import { formPage } from '../../pages/form-page.ts'
import { type Html, html } from '../../pages/html.ts'
import { moment } from '../../pages/moment.ts'
import { languageOfReader, type PageView, pageAnswer, redirectAnswer } from '../../pages/page-context.ts'
import { pageWords } from '../../pages/words/index.ts'
import { deleteOwnAccount } from './delete-account.ts'
import { exportOwnData, listOwnEvents } from './own-data.ts'
import { exportAnswer } from './wire.ts'
import { accountDataWords } from './words/index.ts'

const place = '/account/data'

export const accountDataPages: readonly Route[] = [
  route({
    method: 'GET',
    path: place,
    surface: 'page',
    summary: 'Your data',
    access: { by: ['session'] },
    origin: 'read',
    limit: 'none',
    answers: { 200: { description: 'Export, activity and deletion', schema: 'html' } },
    errors: [],
    async handle(deps, context) {
      const events = await listOwnEvents(deps, context.actor, context.me)
      return pageAnswer(deps, context, (view) =>
        accountPage(context, view, pageWords[view.language].account.data, [
          exportSection(view),
          eventsSection(view, events),
          deleteSection(deps, context.me, view, { values: {} }),
        ]),
      )
    },
  }),

  ...actionPage({
    path: `${place}/export`,
    summary: 'Export all your data',
    on: place,
    fresh: true,
    limit: 'change',
    body: z.strictObject({}),
    errors: [],
    submit: async (deps, { actor, me }) => exportAnswer(await exportOwnData(deps, actor, me), me),
  }),

  ...formPage({
    path: `${place}/delete`,
    summary: 'Delete your account',
    access: { by: ['session'] },
    limit: 'password',
    body: z.strictObject({ password: passwordField }),
    errors: ['incorrect_password', 'last_administrator'],
    view(deps, context, view, state) {
      const section = deleteSection(deps, context.me, view, state)
      return accountPage(context, view, section.title, [section])
    },
    async submit(deps, context) {
      await deleteOwnAccount(deps, context.actor, context.me, context.body)
      const { deleted } = accountDataWords[languageOfReader(context)].pages.delete
      return {
        ...redirectAnswer(deps, context, '/login', deleted, [context.cookies.session.clear()]),
        headers: { 'clear-site-data': '"cache", "storage"' },
      }
    },
  }),
]

function exportSection(view: PageView): Section {
  const words = accountDataWords[view.language].pages.export
  const body = html`<p>${words.lead}</p>
${form({ ...view, action: `${place}/export` }, { values: {} }, { fields: [], submit: words.submit, look: 'quiet', isDownload: true })}`
  return { title: words.title, body }
}

function eventsSection(view: PageView, events: readonly AuditEvent[]): Section {
  const words = accountDataWords[view.language].pages.events
  const body = html`<p>${words.lead}</p>
<details><summary>${words.show}</summary>
<ol class="rows">${events.map((event) => eventRow(view, event))}</ol>
</details>`
  return { title: words.title, body }
}

function eventRow({ language }: PageView, { name, at, ip, userAgent }: AuditEvent): Html {
  const words: Readonly<Record<string, string>> = accountDataWords[language].pages.happened
  const places = [userAgent !== null && deviceName(userAgent, language), ip]
    .filter((text) => typeof text === 'string')
    .map((text, index) => html`${index > 0 && ' · '}<bdi>${text}</bdi>`)
  return html`<li class="row"><strong>${words[name] ?? name}</strong>
<span class="muted">${moment(at, language)}</span>
<span class="muted">${places}</span></li>`
}

const deleteSection: AccountSection = (_deps, { user }, view, state) => {
  const words = accountDataWords[view.language].pages.delete
  const body = html`<p>${words.warning}</p>
${form({ ...view, action: `${place}/delete` }, state, {
  account: user.email,
  fields: [{ name: 'password', kind: 'password', label: words.password, autocomplete: 'current-password' }],
  submit: words.submit,
  look: 'danger',
  ...(state.error?.code === 'last_administrator' && { problem: words.last_administrator }),
})}`
  return { title: words.title, body }
}
