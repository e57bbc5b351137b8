import { authenticate, type GuardOptions } from './guard.ts'
import type { Auth, ResourceServer } from './server.ts'

export type { GuardOptions } from './guard.ts'

/** For `new Hono<{ Variables: AuthVariables }>()`, which adds the type of `c.get('auth')`. */
export interface AuthVariables {
  auth: Auth | null
}

/** The subset of a Hono context that is used. */
export interface HonoContext {
  readonly req: { readonly method: string; readonly url: string; header(name: string): string | undefined }
  set(name: 'auth', value: Auth | null): void
}

/** Creates a middleware for Hono that rejects requests without a valid token with 401, 403 or 503 (problem+json), and sets `c.get('auth')`. */
export function requireAuth(server: ResourceServer, options: GuardOptions = {}) {
  return async (context: HonoContext, next: () => Promise<void>): Promise<Response | undefined> => {
    const { req } = context
    const { pathname: path } = new URL(req.url)
    const request = { method: req.method, path, authorization: req.header('authorization') }
    const { auth, refusal } = await authenticate(server, options, request)
    if (refusal) return new Response(refusal.body, { status: refusal.status, headers: { ...refusal.headers } })

    context.set('auth', auth)
    await next()
    return undefined
  }
}
