import type { Auth } from '../auth.ts'
import { engineOf } from '../engine.ts'
import { type CallerSession, getSession } from '../session.ts'

/** The subset of a SvelteKit `RequestEvent` that is used. */
export interface SvelteKitEvent {
  readonly request: Request
  readonly url: URL
  readonly locals: { auth?: CallerSession | null }
  getClientAddress(): string
}

/**
 * Creates a `handle` hook for SvelteKit with `adapter-node` that serves the routes of Gatelodge and sets `event.locals.auth` for all other requests: the user
 * and the session, or null. Without `ADDRESS_HEADER`, `getClientAddress()` is the address of the socket, as `GATELODGE_TRUSTED_PROXIES` needs it.
 * @example
 * // src/hooks.server.ts
 * export const handle = toSvelteKit(auth)
 */
export function toSvelteKit(
  auth: Auth,
): <Event extends SvelteKitEvent>(input: {
  event: Event
  resolve(event: Event): Response | Promise<Response>
}) => Promise<Response> {
  const { serves } = engineOf(auth)
  return async ({ event, resolve }) => {
    if (serves(event.url.pathname)) return auth.fetch(event.request, { peer: event.getClientAddress() })
    event.locals.auth = await getSession(auth, event.request)
    return resolve(event)
  }
}
