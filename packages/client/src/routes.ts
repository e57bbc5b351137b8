import type { Routes } from './generated.ts'

/** A route that returns JSON or nothing. Pages and redirects are for browsers, `/oauth2` and `/forward-auth` for servers. */
export type Route = {
  [R in keyof Routes]: Routes[R]['answers'] extends { 200: string } | { 303: undefined } ? never : R
}[Exclude<keyof Routes, `${string} ${'/oauth2/' | '/forward-auth'}${string}`>]

/** The response of a route; undefined for 204. */
export type Answer<R extends Route> = Routes[R]['answers'][keyof Routes[R]['answers']]

/** The request body of a route. */
export type Body<R extends Route> = Exclude<Routes[R]['body'], undefined>

/** The input of a route, with an optional signal to abort the call. */
export type Input<R extends Route> = Part<'params', Routes[R]['params']> &
  Part<'query', Routes[R]['query']> &
  Part<'body', Routes[R]['body']> & { readonly signal?: AbortSignal | undefined }

type Part<Name extends string, Value> = [Value] extends [undefined]
  ? unknown
  : undefined extends Value
    ? { readonly [P in Name]?: Value }
    : { readonly [P in Name]: Value }

/** The arguments of a call. The input is optional if the route requires none. */
export type Given<R extends Route> = Record<never, never> extends Input<R> ? [input?: Input<R>] : [input: Input<R>]

/** Any input, as seen at run time. */
export interface AnyInput {
  readonly params?: Readonly<Record<string, string>>
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>
  readonly body?: unknown
  readonly signal?: AbortSignal | undefined
}

/** Returns the method and the path with all parameters filled in and encoded. @throws TypeError for a parameter that would lead to another path */
export function locate(route: Route, { params = {}, query = {} }: AnyInput): { method: string; path: string } {
  const [method = '', template = ''] = route.split(' ')
  const path = template.replace(/\{(\w+)\}/g, (_match, name: string) => segment(params[name]))
  const given = Object.entries(query).filter(([, value]) => value !== undefined)
  const search = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString()
  return { method, path: search === '' ? path : `${path}?${search}` }
}

/** Returns how a route treats credentials: ignores them, accepts them, or requires them. A test compares this with the route table of the server. */
export function credentialOf(route: Route): 'none' | 'optional' | 'session' {
  if (optional.has(route)) return 'optional'
  return ignoring.has(route) || !route.includes(' /api/') ? 'none' : 'session'
}

const optional: ReadonlySet<Route> = new Set<Route>([
  'POST /api/v1/auth/signin',
  'POST /api/v1/auth/signin/new-password',
  'POST /api/v1/auth/verify-email',
  'POST /api/v1/auth/change-email/confirm',
  'GET /api/v1/auth/validate',
])
const ignoring: ReadonlySet<Route> = new Set<Route>([
  'POST /api/v1/auth/signup',
  'POST /api/v1/auth/verify-email/resend',
  'GET /api/v1/auth/username-available',
  'POST /api/v1/auth/refresh',
  'POST /api/v1/auth/signout',
  'POST /api/v1/auth/forgot-password',
  'POST /api/v1/auth/reset-password',
  'POST /api/v1/auth/change-email/undo',
  'POST /api/v1/auth/security/undo',
])

/** URL parsers resolve dot segments: `DELETE /me/sessions/..` would become `DELETE /me/`, however the dots are encoded. */
function segment(value: string | undefined): string {
  if (value === undefined || /^\.{0,2}$/.test(value))
    throw new TypeError('a path parameter is missing or is not a name')
  return encodeURIComponent(value)
}
