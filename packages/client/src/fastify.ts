import { authenticate, type GuardOptions, leaveAuth } from './guard.ts'
import type { ResourceServer } from './server.ts'

export { authOf, type GuardOptions } from './guard.ts'

/** The part of a request of Fastify that is looked at. */
export interface FastifyRequest {
  readonly method: string
  readonly originalUrl: string
  readonly headers: { readonly authorization?: string | undefined }
}

/** The part of a reply of Fastify that is used. */
export interface FastifyReply {
  code(status: number): unknown
  headers(headers: Record<string, string>): unknown
  send(body: string): unknown
}

/**
 * An `onRequest` hook for Fastify 5, of a server or of one route, that lets requests pass with a good token only; `authOf(request)` says whose it was.
 * Answers 401, 403 and 503 as problem+json.
 */
export function requireAuth(server: ResourceServer, options: GuardOptions = {}) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    const { method, originalUrl, headers } = request
    const [path = ''] = originalUrl.split('?')
    const { auth, refusal } = await authenticate(server, options, {
      method,
      path,
      authorization: headers.authorization,
    })
    if (!refusal) {
      leaveAuth(request, auth)
      return undefined
    }
    reply.code(refusal.status)
    reply.headers({ ...refusal.headers })
    reply.send(refusal.body)
    return reply // tells Fastify that it is answered
  }
}
