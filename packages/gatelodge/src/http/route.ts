import type { z } from 'zod'
import type { LiveApiToken } from '../domain/api-tokens.ts'
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

/** Who may call: `anyone` needs no credential; the other kinds name the credentials that the route reads. */
export type CallerKind = 'anyone' | 'session' | 'api_token' | 'client'

/** The whole access policy of a route. The server enforces it, the OpenAPI document and the guides print it, and the attack suite tests it. */
export interface Access<By extends CallerKind = CallerKind> {
  readonly by: readonly By[]
  /** Whether the session's last proof must be more recent than `GATELODGE_REAUTHENTICATION_WINDOW`. */
  readonly fresh?: true
}

/**
 * How a route reads bodies and renders failures: JSON with problem+json (RFC 9457), HTML pages with forms, or OAuth endpoints (RFC 6749). Pages identify a user
 * by the session cookie only.
 */
export type Surface = 'json' | 'page' | 'oauth'

/** The groups of the API document. */
export type Tag = 'Authentication' | 'Tokens' | 'Operations'

/** The answers of a route by status. A null schema is an answer without a body. */
export type Answers = Readonly<
  Record<
    number,
    { readonly description: string; readonly schema: z.ZodType | null | 'html' | 'text' | 'asset' | 'webp' }
  >
>

/** What a handler returns. */
export interface Answer {
  readonly status: number
  readonly json?: unknown
  /** JSON that is already serialised. */
  readonly jsonText?: string | Uint8Array<ArrayBuffer>
  readonly html?: string | Uint8Array<ArrayBuffer>
  readonly text?: string
  /** The bytes of a file; its `content-type` is in `headers`. */
  readonly bytes?: Uint8Array<ArrayBuffer>
  readonly location?: string
  readonly cookies?: readonly string[]
  readonly headers?: Readonly<Record<string, string>>
}

export interface RouteContext<By extends CallerKind, Body, Query, Params> {
  readonly actor: Actor
  readonly cookies: CookieJar
  readonly me: UserOf<By>
  readonly client: ClientOf<By>
  readonly body: Body
  readonly query: Query
  readonly params: Params
  /** Returns a request header, for the few routes that read one. */
  readonly header: (name: string) => string | undefined
  /** The requested path. */
  readonly path: string
  /** The address at the other end of the socket, or null for a caller that did not come over the network. */
  readonly peer: string | null
}

type UserOf<By extends CallerKind> = By extends 'session'
  ? LiveSession
  : By extends 'api_token'
    ? LiveApiToken
    : undefined
type ClientOf<By extends CallerKind> = By extends 'client' ? ServiceClient : undefined

/** A route before its types are erased. Page routes are not in the API document, so they have no tag. */
export type RouteSpec<By extends CallerKind, Body, Query, Params> = RouteFields<By, Body, Query, Params> &
  ({ readonly surface: 'page'; readonly tag?: never } | { readonly surface: 'json' | 'oauth'; readonly tag: Tag })

interface RouteFields<By extends CallerKind, Body, Query, Params> {
  readonly method: Method
  readonly path: `/${string}`
  readonly summary: string
  readonly description?: string
  readonly access: Access<By>
  /** Not served if accounts live in a repository of the host program, which owns what the route reads or changes. */
  readonly ownAccountsOnly?: true
  /** Answers every method; `method` is the one that the documents name. */
  readonly everyMethod?: true
  readonly origin: OriginMode
  readonly limit: AddressLimit
  readonly body?: z.ZodType<Body>
  /** Accepts one file as multipart/form-data instead of `body`: the handler's body is its bytes. An HTML form sends its form token with it. */
  readonly upload?: UploadSpec
  /** Treats a request without a body as `{}`. */
  readonly emptyBody?: true
  readonly query?: z.ZodType<Query>
  readonly params?: z.ZodType<Params>
  readonly answers: Answers
  readonly errors: readonly ErrorCode[]
  /** Statuses of this route that differ from the table. */
  readonly statuses?: Partial<Readonly<Record<ErrorCode, number>>>
  readonly handle: (deps: Deps, context: RouteContext<By, Body, Query, Params>) => Answer | Promise<Answer>
  /** Renders a failure of a page. Undefined for the standard failure page. */
  readonly recover?: (
    deps: Deps,
    failed: FailedRequest,
    error: AuthError,
  ) => Answer | undefined | Promise<Answer | undefined>
}

/** What is known about a failed request, wherever it failed. */
export interface FailedRequest {
  readonly actor: Actor
  readonly cookies: CookieJar
  readonly header: (name: string) => string | undefined
  readonly me: LiveSession | undefined
  readonly path: string
  /** The values of the form, if it was read. */
  readonly form: FormValues | undefined
}

/** The fields of a form as they were sent. */
export type FormValues = Readonly<Record<string, string>>

/** Renders the page that reports a failure. */
export type ProblemPage = (deps: Deps, failed: FailedRequest, error: AuthError, status: number) => Answer

/** A route as the server, the OpenAPI document, the docs and the tests see it. */
export type Route = RouteSpec<CallerKind, unknown, unknown, unknown>

/** Returns whether a route is for signed-in users only. */
export function needsSession({ access: { by } }: Pick<Route, 'access'>): boolean {
  return by.includes('session') && !by.includes('anyone')
}

/** Declares a route. Does not compile without a surface, access, origin mode, limit and schemas. */
export function route<By extends CallerKind, Body = undefined, Query = undefined, Params = undefined>(
  spec: RouteSpec<By, Body, Query, Params>,
): Route {
  return spec as unknown as Route // the server passes each handler only what its own schemas produced
}
