import { AuthError } from '../kernel/errors.ts'

/** What a route asks of requests that a browser may have been tricked into. */
export type OriginMode =
  /** Changes nothing: no proof needed. */
  | 'read'
  /** Unsafe with our cookie: proof needed. Without it: refused only when the browser says cross-site. */
  | 'cookie'
  /** HTML form: proof needed always, and the token of its session or browser, which is checked before anything else is done. */
  | 'form'

export interface OriginFacts {
  readonly fetchSite: string | undefined
  readonly origin: string | undefined
  readonly hasSessionCookie: boolean
}

/** @throws cross_site when an unsafe request does not show that it comes from our own or an allowed origin */
export function assertSameOrigin(mode: OriginMode, facts: OriginFacts, ownOrigins: ReadonlySet<string>): void {
  if (mode === 'read') return

  const { fetchSite, origin } = facts
  if (origin !== undefined && ownOrigins.has(origin)) return
  if (fetchSite === 'same-origin' || fetchSite === 'none') return
  // Browsers without Fetch Metadata send this from our own pages, which say `no-referrer`: the form token alone decides, see `assertFormToken`.
  if (mode === 'form' && fetchSite === undefined && origin === 'null') return
  // From here on, nothing proves a same-origin request.
  if (mode === 'form' || facts.hasSessionCookie) throw new AuthError('cross_site')
  if (fetchSite !== undefined || origin !== undefined) throw new AuthError('cross_site')
}
