import type { z } from 'zod'
import type { Deps } from '../domain/deps.ts'
import type { AddressLimit } from '../domain/limits.ts'
import type { Answer, Route, RouteContext } from '../http/route.ts'
import { route } from '../http/route.ts'
import type { ErrorCode } from '../kernel/errors.ts'
import { redirectAnswer } from './page-context.ts'

/** A button on a page for signed-in users. */
export interface ActionPage<Body> {
  readonly path: `/${string}`
  readonly summary: string
  /** The page that has the button. */
  readonly on: string
  /** Whether the session's last proof must be fresh: see `Access`. */
  readonly fresh?: true
  readonly limit: AddressLimit
  readonly body: z.ZodType<Body>
  readonly errors: readonly ErrorCode[]
  readonly submit: (deps: Deps, context: RouteContext<'session', Body, undefined, undefined>) => Promise<Answer>
  readonly recover?: Route['recover']
}

/** Returns the two routes of a button: POST acts, and GET, where the user returns after signing in on the way, leads to the button's page. */
export function actionPage<Body>({
  path,
  summary,
  on,
  fresh,
  limit,
  body,
  errors,
  submit,
  recover,
}: ActionPage<Body>): Route[] {
  return [
    route({
      method: 'GET',
      path,
      surface: 'page',
      summary,
      access: { by: ['anyone'] },
      origin: 'read',
      limit: 'none',
      answers: { 303: { description: 'Redirects to the page with the button', schema: null } },
      errors: [],
      handle: (deps, { cookies }) => redirectAnswer(deps, { cookies }, on),
    }),
    route({
      method: 'POST',
      path,
      surface: 'page',
      summary,
      access: { by: ['session'], ...(fresh && { fresh }) },
      origin: 'form',
      limit,
      body,
      answers: { 303: { description: 'Done; redirects back to the page', schema: null } },
      errors,
      handle: submit,
      ...(recover && { recover }),
    }),
  ]
}
