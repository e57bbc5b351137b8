import type { Fetch } from './ask.ts'
import type { Session, User } from './generated.ts'
import { authenticate, type GuardOptions } from './guard.ts'
import { isRecord } from './json.ts'
import { askService, unavailable } from './server/service.ts'
import type { Auth, ResourceServer } from './server.ts'
import { isUser } from './user.ts'

export type { GuardOptions } from './guard.ts'

/** The caller of a request, or the response if it is rejected. */
export type Authorized =
  | { readonly auth: Auth | null; readonly response?: undefined }
  | { readonly auth?: undefined; readonly response: Response }

/** Authenticates a Request by its token. Returns the caller, or the response (401, 403 or 503, problem+json). For your own hooks and middlewares. */
export async function authorizeRequest(
  server: ResourceServer,
  request: Request,
  options: GuardOptions = {},
): Promise<Authorized> {
  const { pathname: path } = new URL(request.url)
  const authorization = request.headers.get('authorization')
  const { auth, refusal } = await authenticate(server, options, { method: request.method, path, authorization })
  if (!refusal) return { auth }
  return { response: new Response(refusal.body, { status: refusal.status, headers: { ...refusal.headers } }) }
}

type Handler<Incoming, A, More extends unknown[]> = (
  request: Incoming,
  auth: A,
  ...more: More
) => Response | Promise<Response>
type Guarded<Incoming, More extends unknown[]> = (request: Incoming, ...more: More) => Promise<Response>

/** Wraps a handler of Requests so that it runs only with a valid token and receives the caller, or null where `skip` accepts the request. */
export function withAuth<Incoming extends Request, More extends unknown[]>(
  server: ResourceServer,
  handler: Handler<Incoming, Auth, More>,
  options?: GuardOptions & { readonly skip?: never },
): Guarded<Incoming, More>
export function withAuth<Incoming extends Request, More extends unknown[]>(
  server: ResourceServer,
  handler: Handler<Incoming, Auth | null, More>,
  options: GuardOptions,
): Guarded<Incoming, More>
export function withAuth<Incoming extends Request, More extends unknown[]>(
  server: ResourceServer,
  handler: Handler<Incoming, never, More>,
  options: GuardOptions = {},
): Guarded<Incoming, More> {
  return async (request, ...more) => {
    const { auth, response } = await authorizeRequest(server, request, options)
    return response ?? handler(request, auth as never, ...more) // the overloads determine which handlers can receive null
  }
}

/** Where to look up sessions. */
export interface SessionOptions {
  /** The public URL of Gatelodge. */
  readonly issuer: string
  /** Timeout of the request, in ms; 5 000 by default. */
  readonly timeout?: number
  readonly fetch?: Fetch
}

/**
 * Returns the signed-in user and session of the browser that sent a Request, or null if no user is signed in. For pages rendered by a server on the origin of
 * Gatelodge's cookie. Forwards the session cookie and nothing else of the request.
 * @throws service_unavailable if Gatelodge cannot be reached
 */
export async function sessionOf(
  request: Request,
  { issuer, timeout = 5_000, fetch = (input, init) => globalThis.fetch(input, init) }: SessionOptions,
): Promise<{ user: User; session: Session } | null> {
  const cookie = sessionCookies(request.headers.get('cookie') ?? '')
  if (cookie === '') return null

  const { response, body } = await askService({ fetch, timeout }, `${issuer}/api/v1/auth/session`, {
    headers: { cookie },
  })
  if (isNobody(response, body)) return null
  if (response.status !== 200 || !isRecord(body)) throw unavailable(response, body)

  const { user, session } = body
  if (!isUser(user) || !isSession(session)) throw unavailable(response, body)
  return { user, session }
}

/** Only the API itself may say so: a 401 from something in between says nothing about the session. */
function isNobody({ status }: Response, body: unknown): boolean {
  return status === 401 && isRecord(body) && (body.code === 'token_invalid' || body.code === 'not_authenticated')
}

/**
 * Compares whole names: another cookie of the same site may start with the same name, or with 0xA0, which `trim` removes as whitespace and browsers treat as
 * part of the name.
 */
function sessionCookies(header: string): string {
  const pairs = header.split(';').map((pair) => pair.replace(/^[ \t]+|[ \t]+$/g, ''))
  return pairs.filter((pair) => /^(?:__Host-)?gatelodge=/.test(pair)).join('; ')
}

function isSession(value: unknown): value is Session {
  return isRecord(value) && typeof value.id === 'string'
}
