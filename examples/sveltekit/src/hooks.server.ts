import { AuthServiceUnavailable } from '@gatelodge/client'
import { sessionOf } from '@gatelodge/client/request'
import { error } from '@sveltejs/kit'
import type { Handle } from '@sveltejs/kit/hooks'
import { belongsToGatelodge, passOn } from '#lib/server/pass-on.ts'
import { AUTH_SERVER_URL } from '$app/env/private'

/** Handles every request: forwards those for Gatelodge, and finds the user for all others. */
export const handle: Handle = async ({ event, resolve }) => {
  if (belongsToGatelodge(event.request)) return passOn(event)
  if (isForeign(event.request)) error(403, 'This request did not come from our own pages')

  event.locals.user = await userOf(event.request)
  const response = await resolve(event)
  response.headers.set('cache-control', 'private, no-store') // a page shows who is signed in
  response.headers.set('referrer-policy', 'no-referrer') // the URL of a page may contain the token of a mailed link
  response.headers.set('x-content-type-options', 'nosniff')
  return response
}

/** An unreachable Gatelodge says nothing about the session: this is an error, and no user is shown as signed out. */
async function userOf(request: Request) {
  try {
    const signedIn = await sessionOf(request, { issuer: AUTH_SERVER_URL })
    return signedIn?.user ?? null
  } catch (cause) {
    if (!(cause instanceof AuthServiceUnavailable)) throw cause
    console.error('Gatelodge could not say who is signed in', cause)
    error(503, 'Not available right now')
  }
}

/**
 * Replaces SvelteKit's own check, which is disabled in vite.config.ts: it runs before this hook and would reject what services post to Gatelodge. This app
 * has no forms of its own; if you add some, this check protects them from other sites.
 */
function isForeign({ method, headers }: Request): boolean {
  return method !== 'GET' && method !== 'HEAD' && headers.get('sec-fetch-site') !== 'same-origin'
}
