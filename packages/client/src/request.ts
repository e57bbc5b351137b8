import type { Fetch } from './ask.ts'
import type { Session, User } from './generated.ts'
import { authenticate, type GuardOptions } from './guard.ts'
import { isRecord } from './json.ts'
import { askService, unavailable } from './server/service.ts'
import type { Auth, ResourceServer } from './server.ts'
import { isUser } from './user.ts'

export type { GuardOptions } from './guard.ts'

/** Who sent a request, or the response that it gets instead. */
export type Authorized =
  | { readonly auth: Auth | null; readonly response?: undefined }
  | { readonly auth?: undefined; readonly response: Response }

/** Looks at the token of a Request: who sent it, or the 401, 403 or 503 (problem+json) to answer. For hooks and middlewares of your own. */
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

type Handler<Asked, A, More extends unknown[]> = (
  request: Asked,
  auth: A,
  ...more: More
) => Response | Promise<Response>
type Guarded<Asked, More extends unknown[]> = (request: Asked, ...more: More) => Promise<Response>

/** A handler of Requests that runs for a good token only, and learns whose it is: null where `skip` lets a request pass. */
export function withAuth<Asked extends Request, More extends unknown[]>(
  server: ResourceServer,
  handler: Handler<Asked, Auth, More>,
  options?: GuardOptions & { readonly skip?: never },
): Guarded<Asked, More>
export function withAuth<Asked extends Request, More extends unknown[]>(
  server: ResourceServer,
  handler: Handler<Asked, Auth | null, More>,
  options: GuardOptions,
): Guarded<Asked, More>
export function withAuth<Asked extends Request, More extends unknown[]>(
  server: ResourceServer,
  handler: Handler<Asked, never, More>,
  options: GuardOptions = {},
): Guarded<Asked, More> {
  return async (request, ...more) => {
    const { auth, response } = await authorizeRequest(server, request, options)
    return response ?? handler(request, auth as never, ...more) // the overloads say which kind of handler gets null
  }
}

/** Where sessions are asked for. */
export interface SessionOptions {
  /** The public URL of Gatelodge. */
  readonly issuer: string
  /** How long its answer may take, in ms; 5 000 unless given. */
  readonly timeout?: number
  readonly fetch?: Fetch
}

/**
 * Who is signed in at the browser that sent a Request, null for nobody: for pages that a server renders at the origin of Gatelodge's cookie. Sends the
 * session cookie on and nothing else of the request.
 * @throws service_unavailable when Gatelodge could not tell
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

/** Only the API itself may say so: a 401 of something in between says nothing of the session. */
function isNobody({ status }: Response, body: unknown): boolean {
  return status === 401 && isRecord(body) && (body.code === 'token_invalid' || body.code === 'not_authenticated')
}

/** By its whole name: another cookie of the same site may begin like it, or with 0xA0, which `trim` takes for a blank and browsers for a part of the name. */
function sessionCookies(header: string): string {
  const pairs = header.split(';').map((pair) => pair.replace(/^[ \t]+|[ \t]+$/g, ''))
  return pairs.filter((pair) => /^(?:__Host-)?gatelodge=/.test(pair)).join('; ')
}

function isSession(value: unknown): value is Session {
  return isRecord(value) && typeof value.id === 'string'
}
