import { authenticate, type GuardOptions, leaveAuth } from './guard.ts'
import type { ResourceServer } from './server.ts'

export { authOf, type GuardOptions } from './guard.ts'

/** The subset of an Express request that is used. */
export interface ExpressRequest {
  readonly method: string
  readonly originalUrl: string
  readonly headers: { readonly authorization?: string | undefined }
}

/** The subset of an Express response that is used. */
export interface ExpressResponse {
  writeHead(status: number, headers: Record<string, string>): { end(body: string): unknown }
}

/** Creates a middleware for Express 5 that rejects requests without a valid token with 401, 403 or 503 (problem+json). `authOf(request)` returns the caller. */
export function requireAuth(server: ResourceServer, options: GuardOptions = {}) {
  return async (request: ExpressRequest, response: ExpressResponse, next: () => void): Promise<void> => {
    const { method, originalUrl, headers } = request
    const [path = ''] = originalUrl.split('?')
    const { auth, refusal } = await authenticate(server, options, {
      method,
      path,
      authorization: headers.authorization,
    })
    if (refusal) {
      response.writeHead(refusal.status, { ...refusal.headers }).end(refusal.body)
      return
    }
    leaveAuth(request, auth)
    next()
  }
}
