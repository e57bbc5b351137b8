import { authenticate, type GuardOptions, leaveAuth } from './guard.ts'
import type { ResourceServer } from './server.ts'

export { authOf, type GuardOptions } from './guard.ts'

/** The part of a request of Express that is looked at. */
export interface ExpressRequest {
  readonly method: string
  readonly originalUrl: string
  readonly headers: { readonly authorization?: string | undefined }
}

/** The part of a response of Express that is used. */
export interface ExpressResponse {
  writeHead(status: number, headers: Record<string, string>): { end(body: string): unknown }
}

/**
 * A middleware for Express 5 that lets requests pass with a good token only; `authOf(request)` says whose it was. Answers 401, 403 and 503 as problem+json.
 */
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
