import { authenticate, type GuardOptions } from './guard.ts'
import type { Auth, ResourceServer } from './server.ts'

export type { GuardOptions } from './guard.ts'

/** For `new Hono<{ Variables: AuthVariables }>()`, which types `c.get('auth')`. */
export interface AuthVariables {
  auth: Auth | null
}

/** The part of a context of Hono that is used. */
export interface HonoContext {
  readonly req: { readonly method: string; readonly url: string; header(name: string): string | undefined }
  set(name: 'auth', value: Auth | null): void
}

/** A middleware for Hono that lets requests pass with a good token only, and sets `c.get('auth')`. Answers 401, 403 and 503 as problem+json. */
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
