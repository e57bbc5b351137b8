import type { Config } from '../config.ts'
import { AuthError } from '../kernel/errors.ts'

/** The protection a route needs against requests that a browser may have been tricked into. */
export type OriginMode =
  /** The request changes nothing: no proof required. */
  | 'read'
  /** Unsafe methods with our cookie require proof. Without the cookie they are rejected only if the browser reports cross-site. */
  | 'cookie'
  /** HTML form: always requires proof, and the form token of its session or browser, which is checked before anything else. */
  | 'form'

export interface OriginFacts {
  readonly fetchSite: string | undefined
  readonly origin: string | undefined
  readonly hasSessionCookie: boolean
}

/** Returns the origins whose pages may send requests with the session cookie. */
export function ownOriginsOf({
  publicUrl,
  allowedOrigins,
}: Pick<Config, 'publicUrl' | 'allowedOrigins'>): ReadonlySet<string> {
  return new Set([publicUrl, ...allowedOrigins])
}

/** Checks where a request comes from. @throws cross_site if an unsafe request does not show that it comes from our own or an allowed origin */
export function assertSameOrigin(mode: OriginMode, facts: OriginFacts, ownOrigins: ReadonlySet<string>): void {
  if (mode === 'read') return

  const { fetchSite, origin } = facts
  if (origin !== undefined && ownOrigins.has(origin)) return
  if (fetchSite === 'same-origin' || fetchSite === 'none') return
  // Browsers without Fetch Metadata send this from our own pages, which set `no-referrer`: the form token alone decides, see `assertFormToken`.
  if (mode === 'form' && fetchSite === undefined && origin === 'null') return
  // From here on, nothing proves a same-origin request.
  if (mode === 'form' || facts.hasSessionCookie) throw new AuthError('cross_site')
  if (fetchSite !== undefined || origin !== undefined) throw new AuthError('cross_site')
}
