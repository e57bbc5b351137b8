import { authenticate, type GuardOptions, leaveAuth } from './guard.ts'
import type { ResourceServer } from './server.ts'

export { authOf, type GuardOptions } from './guard.ts'

/** The subset of a Fastify request that is used. */
export interface FastifyRequest {
  readonly method: string
  readonly originalUrl: string
  readonly headers: { readonly authorization?: string | undefined }
}

/** The subset of a Fastify reply that is used. */
export interface FastifyReply {
  code(status: number): unknown
  headers(headers: Record<string, string>): unknown
  send(body: string): unknown
}

/**
 * Creates an `onRequest` hook for Fastify 5, for a server or a single route, that rejects requests without a valid token with 401, 403 or 503 (problem+json).
 * `authOf(request)` returns the caller.
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
    return reply // tells Fastify that the response has been sent
  }
}
