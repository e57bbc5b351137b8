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

/** Who may call: `anyone` calls without a credential; the others name the credentials that the route reads. */
export type CallerKind = 'anyone' | 'session' | 'api_token' | 'client'

/** The whole policy of a route. The server enforces it, and the OpenAPI document, the guides and the attack suite print and walk it. */
export interface Access<By extends CallerKind = CallerKind> {
  readonly by: readonly By[]
  /** Whether the last proof of the session must be younger than `GATELODGE_REAUTHENTICATION_WINDOW`. */
  readonly fresh?: true
}

/**
 * How a route reads bodies and prints failures: JSON with problem+json (RFC 9457), HTML pages with forms, or OAuth endpoints (RFC 6749).
 * Pages know a user by the session cookie only.
 */
export type Surface = 'json' | 'page' | 'oauth'

/** The groups of the API document. */
export type Tag = 'Authentication' | 'Tokens' | 'Operations'

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

export interface RouteContext<By extends CallerKind, Body, Query, Params> {
  readonly actor: Actor
  readonly cookies: CookieJar
  readonly me: UserOf<By>
  readonly client: ClientOf<By>
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

type UserOf<By extends CallerKind> = By extends 'session'
  ? LiveSession
  : By extends 'api_token'
    ? LiveApiToken
    : undefined
type ClientOf<By extends CallerKind> = By extends 'client' ? ServiceClient : undefined

/** A route of a page stands in no API document, so it has no tag. */
export type RouteSpec<By extends CallerKind, Body, Query, Params> = RouteFields<By, Body, Query, Params> &
  ({ readonly surface: 'page'; readonly tag?: never } | { readonly surface: 'json' | 'oauth'; readonly tag: Tag })

interface RouteFields<By extends CallerKind, Body, Query, Params> {
  readonly method: Method
  readonly path: `/${string}`
  readonly summary: string
  readonly description?: string
  readonly access: Access<By>
  /** Answers to every method; `method` is the one that documents name. */
  readonly everyMethod?: true
  readonly origin: OriginMode
  readonly limit: AddressLimit
  readonly body?: z.ZodType<Body>
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
  readonly handle: (deps: Deps, context: RouteContext<By, Body, Query, Params>) => Answer | Promise<Answer>
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
export type Route = RouteSpec<CallerKind, unknown, unknown, unknown>

/** Whether a route is for signed-in users only. */
export function needsSession({ access: { by } }: Pick<Route, 'access'>): boolean {
  return by.includes('session') && !by.includes('anyone')
}

/** Declares a route. One that leaves out its surface, access, origin mode, limit or schemas does not compile. */
export function route<By extends CallerKind, Body = undefined, Query = undefined, Params = undefined>(
  spec: RouteSpec<By, Body, Query, Params>,
): Route {
  return spec as unknown as Route // the server gives each handler what its own schemas made
}
