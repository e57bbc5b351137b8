import type { z } from 'zod'
import type { Deps } from '../domain/deps.ts'
import type { AddressLimit } from '../domain/limits.ts'
import type { ServiceClient } from '../domain/service-clients.ts'
import type { LiveSession } from '../domain/session-cache.ts'
import type { Actor } from '../kernel/actor.ts'
import type { AuthError, ErrorCode } from '../kernel/errors.ts'
import type { CookieJar } from './cookies.ts'
import type { UploadSpec } from './multipart.ts'
import type { OriginMode } from './same-origin.ts'

export type Method = 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE'

/**
 * `none`: credentials are not looked at. `optional`: a good credential makes an actor. `session`: a live session is needed. `client`: a service client
 * is needed; `optional_client`: one that is named has to be right.
 */
export type AuthLevel = 'none' | 'optional' | 'session' | 'client' | 'optional_client'

/** What a route answers, by status. A null schema is an answer without a body. */
export type Answers = Readonly<
  Record<
    number,
    { readonly description: string; readonly schema: z.ZodType | null | 'html' | 'text' | 'asset' | 'webp' }
  >
>

/** What a handler gives back. */
export interface Answer {
  readonly status: number
  readonly json?: unknown
  /** JSON that was printed before. */
  readonly jsonText?: string | Uint8Array<ArrayBuffer>
  readonly html?: string | Uint8Array<ArrayBuffer>
  readonly text?: string
  /** Bytes of a file; its `content-type` stands in `headers`. */
  readonly bytes?: Uint8Array<ArrayBuffer>
  readonly location?: string
  readonly cookies?: readonly string[]
  readonly headers?: Readonly<Record<string, string>>
}

export interface RouteContext<Auth extends AuthLevel, Body, Query, Params> {
  readonly actor: Actor
  readonly cookies: CookieJar
  readonly me: Auth extends 'session' ? LiveSession : Auth extends 'optional' ? LiveSession | undefined : undefined
  readonly client: Auth extends 'client'
    ? ServiceClient
    : Auth extends 'optional_client'
      ? ServiceClient | undefined
      : undefined
  readonly body: Body
  readonly query: Query
  readonly params: Params
  /** A request header, for the few routes that read one. */
  readonly header: (name: string) => string | undefined
  /** The path that was asked for. */
  readonly path: string
  /** The address at the other end of the socket, or null off the network. */
  readonly peer: string | null
}

export interface RouteSpec<Auth extends AuthLevel, Body, Query, Params> {
  readonly method: Method
  readonly path: `/${string}`
  readonly tag: 'Authentication' | 'Tokens' | 'Operations' | 'Pages'
  readonly summary: string
  readonly description?: string
  readonly auth: Auth
  /** Takes API tokens in place of a session. Without it, an API token is refused where a session is needed. */
  readonly apiTokens?: true
  /** Answers to every method; `method` is the one that documents name. */
  readonly everyMethod?: true
  readonly origin: OriginMode
  readonly limit: AddressLimit
  readonly body?: z.ZodType<Body>
  /** How the body of a route that is no HTML form is sent; JSON when absent. An `oauth` body is a form as RFC 6749 has it, and so are the failures of its route. */
  readonly bodyType?: 'oauth'
  /** Takes one file as multipart/form-data in place of `body`: its bytes are the handler's body. In an HTML form it comes beside the form's token. */
  readonly upload?: UploadSpec
  /** A request without a body counts as `{}`. */
  readonly emptyBody?: true
  readonly query?: z.ZodType<Query>
  readonly params?: z.ZodType<Params>
  readonly answers: Answers
  readonly errors: readonly ErrorCode[]
  /** Statuses of this route that differ from the table. */
  readonly statuses?: Partial<Readonly<Record<ErrorCode, number>>>
  readonly handle: (deps: Deps, context: RouteContext<Auth, Body, Query, Params>) => Answer | Promise<Answer>
  /** Answers a failure of a page in its own way, or undefined for the page that every failure gets. */
  readonly recover?: (
    deps: Deps,
    failed: FailedRequest,
    error: AuthError,
  ) => Answer | undefined | Promise<Answer | undefined>
}

/** What is known of a request that failed, wherever it did. */
export interface FailedRequest {
  readonly actor: Actor
  readonly cookies: CookieJar
  readonly header: (name: string) => string | undefined
  readonly me: LiveSession | undefined
  readonly path: string
  /** What a form said, if it was read. */
  readonly form: FormValues | undefined
}

/** The fields of a form as they were sent. */
export type FormValues = Readonly<Record<string, string>>

/** Makes the page that tells of a failure. */
export type ProblemPage = (deps: Deps, failed: FailedRequest, error: AuthError, status: number) => Answer

/** A route as the server, the OpenAPI document, the docs and the tests read it. */
export type Route = RouteSpec<AuthLevel, unknown, unknown, unknown>

/** Whether service clients ask a route, or may. */
export function isForClients({ auth }: Pick<Route, 'auth'>): boolean {
  return auth === 'client' || auth === 'optional_client'
}

/** Declares a route. One that leaves out its auth level, origin mode, limit or schemas does not compile. */
export function route<Auth extends AuthLevel, Body = undefined, Query = undefined, Params = undefined>(
  spec: RouteSpec<Auth, Body, Query, Params>,
): Route {
  return spec as unknown as Route // the server gives each handler what its own schemas made
}
