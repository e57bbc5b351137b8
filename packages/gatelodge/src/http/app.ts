import { Hono } from 'hono'
import type { Deps } from '../domain/deps.ts'
import { assertFresh } from '../domain/freshness.ts'
import { addressLimits, attemptWithin, consume } from '../domain/limits.ts'
import type { ServiceClient } from '../domain/service-clients.ts'
import { AuthError } from '../kernel/errors.ts'
import type { Log } from '../kernel/log.ts'
import { authenticateClient, authenticateRequest, type Caller, noteUse } from './authenticate.ts'
import { createClientIp } from './client-ip.ts'
import { type AppParts, Context, toActor } from './context.ts'
import { createCookieJar } from './cookies.ts'
import { observed, type RequestObserver } from './observer.ts'
import { type Bindings, createRequestInfo, pathOf, type RequestInfo } from './request-info.ts'
import { createResponder } from './responder.ts'
import type { Answer, ProblemPage, Route } from './route.ts'
import { assertSameOrigin, ownOriginsOf } from './same-origin.ts'
import { failPage, surfaces } from './surfaces.ts'
import { createUploadSlots } from './upload-slots.ts'

/** Answers a Request. `env` carries the socket when our own server calls, or the peer address when a host framework does. */
export type Fetch = (request: Request, env?: Bindings) => Response | Promise<Response>

/** Builds one `fetch` from the route table. `problemPage` renders failures of pages; `observer`, if any, counts requests. */
export function createApp(
  deps: Deps,
  routes: readonly Route[],
  problemPage: ProblemPage,
  observer: RequestObserver | null = null,
): Fetch {
  const { config } = deps
  const parts: AppParts = {
    deps,
    cookies: createCookieJar(config.publicUrl),
    responder: createResponder(config, deps.log),
    clientIp: createClientIp(config.trustedProxies, deps.untrustedPeers),
    ownOrigins: ownOriginsOf(config),
    uploads: createUploadSlots({ most: 16, each: 2 }),
    problemPage,
    observer,
  }
  const { responder } = parts
  const app = new Hono<{ Bindings: Bindings }>()

  // One handler per path and no middleware: with two, Hono answers only through promises, and the session check could not be synchronous.
  for (const [path, byMethod] of routesByPath(routes)) {
    const methods = [...byMethod.keys()]
    app.all(path, (context) => {
      const startedAt = observer?.now() ?? 0
      const { method, raw } = context.req
      const route = byMethod.get(method) ?? byMethod.get(everyMethod)
      const request = createRequestInfo(deps, raw, context.env, route?.params ? context.req.param() : {})
      if (route)
        return observer
          ? observed(observer, route, startedAt, serve(parts, route, request))
          : serve(parts, route, request)
      observer?.answered(undefined, method === 'OPTIONS' ? 204 : 405, startedAt)
      if (method === 'OPTIONS') return responder.preflight(request.header('origin'), methods)
      return responder.failure(new AuthError('method_not_allowed'), request, 405, { allow: methods.join(', ') })
    })
  }
  app.notFound(({ req, env }) => {
    observer?.answered(undefined, 404, observer.now())
    const request = createRequestInfo(deps, req.raw, env, {})
    if (!wantsPage(request)) return responder.failure(new AuthError('not_found'), request, 404)
    return failPage(parts, undefined, request, new AuthError('not_found'))
  })
  app.onError((error, { req, env }) => responder.failure(error, createRequestInfo(deps, req.raw, env, {})))

  return (request, env = {}) => app.fetch(request, env)
}

/** Runs the pipeline that every route shares. Stays synchronous unless something must be awaited, because the session check is the hot path. */
function serve(parts: AppParts, route: Route, request: RequestInfo): Response | Promise<Response> {
  const { deps, responder } = parts
  try {
    const sessionCookie = parts.cookies.session.read(request.header('cookie'))
    assertSameOrigin(
      route.origin,
      {
        fetchSite: request.header('sec-fetch-site'),
        origin: request.header('origin'),
        hasSessionCookie: sessionCookie !== undefined,
      },
      parts.ownOrigins,
    )
    const authorization = surfaces[route.surface].readsAuthorization ? request.header('authorization') : undefined
    const me = authenticateRequest(deps, route.access, authorization, sessionCookie)
    const answer =
      me instanceof Promise ? me.then((found) => run(parts, route, request, found)) : run(parts, route, request, me)
    if (!(answer instanceof Promise)) return responder.success(answer, request)
    return answer.then(
      (done) => responder.success(done, request),
      (error: unknown) => fail(parts, route, request, error),
    )
  } catch (error) {
    return fail(parts, route, request, error)
  }
}

function run(parts: AppParts, route: Route, request: RequestInfo, me: Caller | undefined): Answer | Promise<Answer> {
  if (me) noteUse(parts.deps, me)
  request.me = me
  if (route.access.fresh) assertFresh(parts.deps, me?.principal)

  const needsNothing =
    route.limit === 'none' && !route.body && route.origin !== 'form' && !route.access.by.includes('client')
  return needsNothing ? handle(parts, route, request, undefined) : runLimited(parts, route, request)
}

async function runLimited(parts: AppParts, route: Route, request: RequestInfo): Promise<Answer> {
  const { deps } = parts
  const { me } = request
  const { readBody, readFile } = surfaces[route.surface]
  const limit = addressLimits[route.limit]
  const actor = toActor(parts, request, me)
  const subject = actor.ip ?? 'inside'
  if (limit?.counts === 'requests') await consume(deps, actor, limit, subject)

  const { upload } = route
  if (upload || route.body) assertUnread(deps.log, request)
  if (upload) {
    return parts.uploads.run(me?.user.id ?? subject, async () =>
      handle(parts, route, request, await readFile(parts, upload, request)),
    )
  }

  const body = await readBody(parts, route, request)
  const client = await authenticateClient(deps, route.access, actor, request.header('authorization'), body)
  const answer = async () => handle(parts, route, request, body, client)
  if (limit?.counts !== 'failures') return answer()
  return attemptWithin(deps, actor, { limit, subject, isFailure: isGuess }, answer)
}

/** Explains a mistake of a host program, which otherwise looks as if the client had sent no fields. @throws body_consumed */
function assertUnread(log: Log, { request, incoming }: RequestInfo): void {
  if (incoming ? !incoming.readableDidRead : !request.bodyUsed) return

  const error = new AuthError('body_consumed')
  log.error({}, error.detail)
  throw error
}

function handle(
  parts: AppParts,
  route: Route,
  request: RequestInfo,
  body: unknown,
  client?: ServiceClient,
): Answer | Promise<Answer> {
  const context = new Context(parts, route, request, request.me, body, client)
  return route.handle(parts.deps, context)
}

/** Returns whether a failure may come from guessing a secret. */
function isGuess(error: unknown): boolean {
  return error instanceof AuthError && guesses.has(error.code)
}

const guesses: ReadonlySet<string> = new Set([
  'invalid_credentials',
  'incorrect_password',
  'token_invalid',
  'account_inactive',
  'email_unverified',
])

function fail(parts: AppParts, route: Route, request: RequestInfo, error: unknown): Response | Promise<Response> {
  const known = parts.responder.known(error, request.requestId)
  parts.observer?.failed(route, known.code)
  return surfaces[route.surface].fail(parts, route, request, known)
}

/** Returns whether an unknown path should be answered with a page: a browser asked for something outside the API. */
function wantsPage(request: RequestInfo): boolean {
  return (
    !/^\/(?:api|oauth2|\.well-known)\//.test(pathOf(request)) && (request.header('accept') ?? '').includes('text/html')
  )
}

/** Stands for every method that no other route of the path names. */
const everyMethod = '*'

/** Groups the routes by path and method. HEAD is answered like GET, without the body. */
function routesByPath(routes: readonly Route[]): Map<string, Map<string, Route>> {
  const paths = new Map<string, Map<string, Route>>()
  for (const route of routes) {
    const byMethod = paths.get(route.path) ?? new Map<string, Route>()
    paths.set(route.path, byMethod.set(route.method, route))
    if (route.method === 'GET') byMethod.set('HEAD', route)
    if (route.everyMethod) byMethod.set(everyMethod, route)
  }
  return paths
}
