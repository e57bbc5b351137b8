import { RegExpRouter } from 'hono/router/reg-exp-router'
import type { Route } from '../http/route.ts'

/**
 * Returns a function that tells whether Gatelodge serves a path, so that an adapter passes all other requests on to the host. The root is the host's own: there
 * Gatelodge only redirects to the account.
 */
export function createServedPaths(routes: readonly Pick<Route, 'path'>[]): (path: string) => boolean {
  const router = new RegExpRouter<true>()
  for (const path of new Set(routes.map((route) => route.path))) if (path !== '/') router.add('GET', path, true)
  return (path) => router.match('GET', path)[0].length > 0
}

/** Returns the path of a request target in origin form, without the query. */
export function pathOfTarget(target = '/'): string {
  return target.split('?', 1)[0] ?? '/'
}
