import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Auth } from '../auth.ts'
import { engineOf } from '../engine.ts'
import { pathOfTarget } from '../served-paths.ts'
import { toNodeHandler } from './node.ts'

/** The subset of a Fastify instance that is used. */
export interface FastifyLike {
  addHook(name: 'onRequest', hook: (request: FastifyRequestLike, reply: FastifyReplyLike) => Promise<void>): unknown
}

interface FastifyRequestLike {
  readonly raw: IncomingMessage
}

interface FastifyReplyLike {
  readonly raw: ServerResponse
  hijack(): unknown
}

/**
 * Creates a plugin for Fastify 5 that serves the routes of Gatelodge, before bodies are parsed, and leaves all other requests to Fastify.
 * @example
 * await app.register(toFastify(auth))
 */
export function toFastify(auth: Auth): (app: FastifyLike) => Promise<void> {
  const handler = toNodeHandler(auth)
  const { serves } = engineOf(auth)
  const plugin = async (app: FastifyLike) => {
    app.addHook('onRequest', async ({ raw }, reply) => {
      if (!serves(pathOfTarget(raw.url))) return

      reply.hijack()
      handler(raw, reply.raw)
    })
  }
  // Without an encapsulation context of its own, the hook applies to the whole app, as https://fastify.dev/docs/latest/Reference/Plugins describes.
  return Object.assign(plugin, { [Symbol.for('skip-override')]: true })
}
