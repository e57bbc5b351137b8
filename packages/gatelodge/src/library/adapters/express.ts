import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Auth } from '../auth.ts'
import { engineOf } from '../engine.ts'
import { pathOfTarget } from '../served-paths.ts'
import { toNodeHandler } from './node.ts'

/**
 * Creates a middleware for Express 4 and 5 that serves the routes of Gatelodge and passes all other requests on. Mount it before body parsers, without a path.
 * @example
 * app.use(toExpress(auth))
 * app.use(express.json())
 */
export function toExpress(auth: Auth): (request: IncomingMessage, response: ServerResponse, next: () => void) => void {
  const handler = toNodeHandler(auth)
  const { serves } = engineOf(auth)
  return (request, response, next) => {
    if (serves(pathOfTarget(request.url))) handler(request, response)
    else next()
  }
}
