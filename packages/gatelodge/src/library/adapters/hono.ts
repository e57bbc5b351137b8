import type { HttpBindings } from '@hono/node-server'
import type { MiddlewareHandler } from 'hono'
import type { Auth } from '../auth.ts'
import { engineOf } from '../engine.ts'

/**
 * Creates a middleware for Hono on `@hono/node-server` that serves the routes of Gatelodge and passes all other requests on. Mount it before body validators.
 * @example
 * app.use(toHono(auth))
 */
export function toHono(auth: Auth): MiddlewareHandler {
  const { serves } = engineOf(auth)
  return async ({ req, env }, next) => {
    if (!serves(req.path)) return next()

    const { incoming } = env as Partial<HttpBindings> // absent on other platforms and in tests
    return auth.fetch(req.raw, incoming && { incoming })
  }
}
