import type { z } from 'zod'
import type { Deps } from '../domain/deps.ts'
import type { AddressLimit } from '../domain/limits.ts'
import type { UploadSpec } from '../http/multipart.ts'
import { statusOf } from '../http/problem.ts'
import type { Access, Answer, Route, RouteContext } from '../http/route.ts'
import { needsSession, route } from '../http/route.ts'
import type { ErrorCode } from '../kernel/errors.ts'
import type { FormState, FormView } from './form.ts'
import { type PageContent, type PageContext, type PageView, pageAnswer, plainPageAnswer } from './page-context.ts'
import { whyRefused } from './why-refused.ts'

/** Pages accept only the session cookie as a credential. */
export type PageCaller = 'anyone' | 'session'

/** A page with one form: GET shows the form, POST submits it. */
export interface FormPage<By extends PageCaller, Body, Query> {
  readonly path: `/${string}`
  readonly summary: string
  /** Freshness is checked when the form is submitted. */
  readonly access: Access<By>
  readonly limit: AddressLimit
  /** The query parameters of the page. All others are ignored. */
  readonly query?: z.ZodType<Query>
  /** The schema of the form: that of the API where both accept the same fields. */
  readonly body?: z.ZodType<Body>
  /** The only file of the form, instead of `body`. */
  readonly upload?: UploadSpec
  /** The errors that the form itself shows. */
  readonly errors: readonly ErrorCode[]
  readonly statuses?: Partial<Readonly<Record<ErrorCode, number>>>
  /** Returns a response instead of the form, or the initial values of the form. */
  readonly open?: (
    deps: Deps,
    context: RouteContext<By, undefined, Query, undefined>,
  ) => Answer | FormState | Promise<Answer | FormState>
  readonly view: (deps: Deps, context: PageContextOf<By>, view: FormView, state: FormState) => PageContent
  readonly submit: (deps: Deps, context: RouteContext<By, Body, undefined, undefined>) => Promise<Answer>
  /** Responds to an error that the user cannot correct in the form, such as a used link. */
  readonly recover?: Route['recover']
}

/** The context of a page whose route has these callers. */
export type PageContextOf<By extends PageCaller> = PageContext &
  Pick<RouteContext<By, undefined, undefined, undefined>, 'me'>

/** Returns the two routes of a page with a form. An error shows the form again with the values sent, except passwords. */
export function formPage<By extends PageCaller, Body, Query = undefined>(spec: FormPage<By, Body, Query>): Route[] {
  const { path, summary, access, limit, errors, statuses = {}, view } = spec
  const again: readonly ErrorCode[] = [...errors, 'input_invalid', 'cross_site']
  const contentOf = (deps: Deps, context: PageContext, state: FormState) => (pageView: PageView) =>
    // A route that requires a session has one here: see `recover`.
    view(deps, context as PageContextOf<By>, { ...pageView, action: path }, state)

  const opening = route({
    method: 'GET',
    path,
    surface: 'page',
    summary,
    access: { by: access.by },
    origin: 'read',
    limit: 'none',
    ...(spec.query && { query: spec.query }),
    answers: { 200: { description: 'The form', schema: 'html' } },
    errors: [],
    statuses,
    ...(spec.recover && { recover: spec.recover }),
    async handle(deps, context) {
      const opened = await spec.open?.(deps, context as RouteContext<By, undefined, Query, undefined>)
      if (opened && 'status' in opened) return opened

      const content = contentOf(deps, context, opened ?? { values: {} })
      // Another spelling of the path, such as %66 for f, is a different URL, and there is no limit to their number.
      const isPlain = context.path === path && isAddressBare(context.query)
      return isPlain ? plainPageAnswer(deps, context, content) : pageAnswer(deps, context, content)
    },
  })
  const sending = route({
    method: 'POST',
    path,
    surface: 'page',
    summary,
    access,
    origin: 'form',
    limit,
    ...(spec.body && { body: spec.body }),
    ...(spec.upload && { upload: spec.upload }),
    answers: { 303: { description: 'Done; redirects to the next page', schema: null } },
    errors,
    statuses,
    handle: (deps, context) => spec.submit(deps, context as RouteContext<By, Body, undefined, undefined>),
    recover(deps, failed, error) {
      // A request from another origin is rejected before its session is read, so the user is unknown.
      const isNobody = needsSession({ access }) && !failed.me
      if (isNobody || !again.includes(error.code)) return spec.recover?.(deps, failed, error)
      const values = failed.form ?? {}
      const state = error.code === 'cross_site' ? { values, problem: whyRefused(failed) } : { values, error }
      return pageAnswer(deps, failed, contentOf(deps, failed, state), statuses[error.code] ?? statusOf[error.code])
    },
  })
  return [opening, sending]
}

/** Returns whether the URL has none of the query parameters of the page. */
function isAddressBare(query: unknown): boolean {
  return query === undefined || Object.values(query as object).every((value) => value === undefined)
}
