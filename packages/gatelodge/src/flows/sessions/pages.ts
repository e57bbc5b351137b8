import { z } from 'zod'
import type { Session } from '../../domain/sessions.ts'
import { type Route, route } from '../../http/route.ts'
import { textField } from '../../http/wire.ts'
import { accountPage, deviceName } from '../../pages/account-page.ts'
import { actionPage } from '../../pages/action-page.ts'
import { form } from '../../pages/form.ts'
import { formPage } from '../../pages/form-page.ts'
import { type Html, html } from '../../pages/html.ts'
import { moment } from '../../pages/moment.ts'
import { languageOfReader, type PageView, pageAnswer, redirectAnswer } from '../../pages/page-context.ts'
import { pageWords } from '../../pages/words/index.ts'
import { listSessions, revokeOtherSessions, revokeSession } from './end-sessions.ts'
import { signOut } from './sign-out.ts'
import { sessionWords } from './words/index.ts'

const list = '/account/sessions'

export const sessionPages: readonly Route[] = [
  route({
    method: 'GET',
    path: list,
    surface: 'page',
    summary: 'Your sessions',
    access: { by: ['session'] },
    origin: 'read',
    limit: 'none',
    answers: { 200: { description: 'Your sessions, newest first', schema: 'html' } },
    errors: [],
    async handle(deps, context) {
      const sessions = await listSessions(deps, context.actor, context.me)
      return pageAnswer(deps, context, (view) => {
        const title = pageWords[view.language].account.sessions
        return accountPage(context, view, title, [{ title, body: listOf(view, sessions, context.me.session.id) }])
      })
    },
  }),

  ...actionPage({
    path: `${list}/end`,
    summary: 'End one of your sessions',
    on: list,
    limit: 'change',
    body: z.strictObject({ id: textField(256) }),
    errors: ['not_found'],
    async submit(deps, context) {
      await revokeSession(deps, context.actor, context.me, context.body)
      return redirectAnswer(deps, context, list, sessionWords[languageOfReader(context)].pages.ended)
    },
    recover(deps, failed, error) {
      if (error.code !== 'not_found') return undefined
      return redirectAnswer(deps, failed, list, sessionWords[languageOfReader(failed)].pages.gone)
    },
  }),

  ...actionPage({
    path: `${list}/end-others`,
    summary: 'End all your other sessions',
    on: list,
    limit: 'change',
    body: z.strictObject({}),
    errors: [],
    async submit(deps, context) {
      await revokeOtherSessions(deps, context.actor, context.me)
      return redirectAnswer(deps, context, list, sessionWords[languageOfReader(context)].pages.othersEnded)
    },
  }),

  ...formPage({
    path: '/logout',
    summary: 'Sign out',
    access: { by: ['anyone', 'session'] },
    limit: 'none',
    body: z.strictObject({}),
    errors: [],
    open: (deps, context) => (context.me ? { values: {} } : redirectAnswer(deps, context, '/login')),
    view(_deps, _context, view, state) {
      const words = sessionWords[view.language].pages.logout
      const body = html`<div class="card">
<h1>${words.title}</h1>
<p>${words.lead}</p>
${form(view, state, { fields: [], submit: words.submit })}
<p class="ways"><a href="/account">${words.back}</a></p>
</div>`
      return { title: words.title, body }
    },
    async submit(deps, context) {
      const { actor, cookies, header } = context
      await signOut(deps, actor, { sessionToken: cookies.session.read(header('cookie')) })
      const { done } = sessionWords[languageOfReader(context)].pages.logout
      return {
        ...redirectAnswer(deps, context, '/login', done, [cookies.session.clear()]),
        headers: { 'clear-site-data': '"cache", "storage"' },
      }
    },
  }),
]

function listOf(view: PageView, sessions: readonly Session[], current: string): Html {
  const words = sessionWords[view.language].pages
  const others = sessions.some(({ id }) => id !== current)
  return html`<p>${words.lead}</p>
<ul class="rows">${sessions.map((session, index) => sessionRow(view, session, session.id === current, `session-${index + 1}`))}</ul>
${others && form({ ...view, action: `${list}/end-others` }, { values: {} }, { fields: [], submit: words.endOthers })}`
}

function sessionRow(view: PageView, session: Session, isCurrent: boolean, id: string): Html {
  const words = sessionWords[view.language].pages
  const end = form(
    { ...view, action: `${list}/end` },
    { values: { id: session.id } },
    {
      fields: [{ name: 'id', kind: 'hidden', label: '' }],
      submit: words.end,
      look: 'quiet',
      about: id,
    },
  )
  return html`<li class="row">
<h2 id="${id}"><bdi>${deviceName(session.userAgent, view.language)}</bdi>${isCurrent && html` <span class="badge">${words.current}</span>`}</h2>
<dl class="facts">
<div><dt>${words.lastSeen}</dt><dd>${moment(session.lastSeenAt, view.language)}</dd></div>
<div><dt>${words.started}</dt><dd>${moment(session.createdAt, view.language)}</dd></div>
<div><dt>${words.address}</dt><dd>${session.ip === null ? words.noAddress : html`<bdi>${session.ip}</bdi>`}</dd></div>
</dl>
${!isCurrent && end}
</li>`
}
