import type { IncomingMessage } from 'node:http'
import { Hono } from 'hono'
import type { Deps } from '../domain/deps.ts'
import { addressLimits, attemptWithin, consume } from '../domain/limits.ts'
import type { ServiceClient } from '../domain/service-clients.ts'
import type { LiveSession } from '../domain/session-cache.ts'
import type { Actor } from '../kernel/actor.ts'
import { AuthError } from '../kernel/errors.ts'
import { uuidv7 } from '../kernel/ids.ts'
import { type Language, languageOf, negotiateLanguage } from '../kernel/languages.ts'
import { parseInput, readForm, readJson, readOAuthForm } from './body.ts'
import { createClientIp } from './client-ip.ts'
import { type CookieJar, createCookieJar } from './cookies.ts'
import { assertFormToken, formTokenField } from './form-token.ts'
import { readUpload, type UploadSpec } from './multipart.ts'
import { observed, type RequestObserver } from './observer.ts'
import { createPrinter, type Printer } from './print.ts'
import { statusOf } from './problem.ts'
import {
  type Answer,
  type AuthLevel,
  type FailedRequest,
  type FormValues,
  isForClients,
  type ProblemPage,
  type Route,
  type RouteContext,
} from './route.ts'
import { assertSameOrigin } from './same-origin.ts'
import { createUploadSlots, type UploadSlots } from './upload-slots.ts'
import { noteUse, whichClient, whoAsks } from './who-asks.ts'

/** What the server knows of a request beyond the Request itself. */
interface Bindings {
  readonly incoming?: IncomingMessage
  /** The client's address, when the library's caller names it. */
  readonly peer?: string
}

/** Answers a Request; `env` carries the socket under our own server, or the peer's address that a host framework knows. */
export type Fetch = (request: Request, env?: Bindings) => Response | Promise<Response>

interface AppParts {
  readonly deps: Deps
  readonly cookies: CookieJar
  readonly printer: Printer
  readonly clientIp: ReturnType<typeof createClientIp>
  readonly ownOrigins: ReadonlySet<string>
  readonly uploads: UploadSlots
  readonly problemPage: ProblemPage
  readonly observer: RequestObserver | null
}

interface Asked {
  readonly request: Request
  readonly requestId: string
  readonly header: (name: string) => string | undefined
  readonly peer: string | null
  readonly params: Readonly<Record<string, string>>
  /** Found on the way, for the page of a failure. */
  me?: LiveSession | undefined
  form?: FormValues
}

/** Puts the route table behind one `fetch`; `problemPage` tells of failures of pages, and `observer`, if any, counts. */
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
    printer: createPrinter(config, deps.log),
    clientIp: createClientIp(config.trustedProxies, deps.untrustedPeers),
    ownOrigins: new Set([config.publicUrl, ...config.allowedOrigins]),
    uploads: createUploadSlots({ most: 16, each: 2 }),
    problemPage,
    observer,
  }
  const app = new Hono<{ Bindings: Bindings }>()

  // One handler for a path and no middleware: with two, Hono would answer by promises only, and the session check could not be synchronous.
  for (const [path, byMethod] of routesByPath(routes)) {
    const methods = [...byMethod.keys()]
    app.all(path, (context) => {
      const startedAt = observer?.now() ?? 0
      const route = byMethod.get(context.req.method) ?? byMethod.get(everyMethod)
      const asked = toAsked(parts, context.req.raw, context.env, route?.params ? context.req.param() : {})
      if (route)
        return observer ? observed(observer, route, startedAt, serve(parts, route, asked)) : serve(parts, route, asked)
      observer?.answered(undefined, context.req.method === 'OPTIONS' ? 204 : 405, startedAt)
      if (context.req.method === 'OPTIONS') return parts.printer.preflight(asked.header('origin'), methods)
      return parts.printer.failure(new AuthError('method_not_allowed'), asked, 405, { allow: methods.join(', ') })
    })
  }
  app.notFound((context) => {
    observer?.answered(undefined, 404, observer.now())
    const asked = toAsked(parts, context.req.raw, context.env, {})
    if (!wantsPage(asked)) return parts.printer.failure(new AuthError('not_found'), asked, 404)
    return failPage(parts, undefined, asked, new AuthError('not_found'))
  })
  app.onError((error, context) => parts.printer.failure(error, toAsked(parts, context.req.raw, context.env, {})))

  return (request, env = {}) => app.fetch(request, env)
}

function toAsked({ deps }: AppParts, request: Request, env: Bindings, params: Readonly<Record<string, string>>): Asked {
  const { incoming } = env
  return {
    request,
    requestId: uuidv7(deps.clock, deps.random),
    header: incoming
      ? (name) => (name === 'host' ? rawHost(incoming) : headerText(incoming.headers[name]))
      : (name) => request.headers.get(name) ?? undefined,
    peer: incoming?.socket.remoteAddress ?? env.peer ?? null,
    params,
  }
}

/** The Host header as it was sent; the server replaced the parsed one (see server.ts). */
function rawHost(incoming: IncomingMessage): string | undefined {
  const index = incoming.rawHeaders.findIndex((name, position) => position % 2 === 0 && name.toLowerCase() === 'host')
  return index < 0 ? undefined : incoming.rawHeaders[index + 1]
}

function headerText(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(', ') : value
}

/** The pipeline of every route. Stays synchronous as long as nothing has to be waited for: the session check is the hot path. */
function serve(parts: AppParts, route: Route, asked: Asked): Response | Promise<Response> {
  try {
    const cookie = asked.header('cookie')
    const sessionCookie = parts.cookies.session.read(cookie)
    assertSameOrigin(
      route.origin,
      {
        fetchSite: asked.header('sec-fetch-site'),
        origin: asked.header('origin'),
        hasSessionCookie: sessionCookie !== undefined,
      },
      parts.ownOrigins,
    )

    // Pages are for browsers, which know a session by its cookie: a form's session must be the one that its answer can renew.
    const authorization = route.tag === 'Pages' ? undefined : asked.header('authorization')
    const me = whoAsks(parts.deps, route, authorization, sessionCookie)
    const answer =
      me instanceof Promise ? me.then((live) => run(parts, route, asked, live)) : run(parts, route, asked, me)
    if (!(answer instanceof Promise)) return parts.printer.success(answer, asked)
    return answer.then(
      (done) => parts.printer.success(done, asked),
      (error: unknown) => fail(parts, route, asked, error),
    )
  } catch (error) {
    return fail(parts, route, asked, error)
  }
}

function run(parts: AppParts, route: Route, asked: Asked, me: LiveSession | undefined): Answer | Promise<Answer> {
  const { deps } = parts
  if (me) noteUse(deps, me)
  asked.me = me

  const needsNothing = route.limit === 'none' && !route.body && route.origin !== 'form' && !isForClients(route)
  if (needsNothing) return route.handle(deps, new Context(parts, route, asked, me, undefined))
  return runLimited(parts, route, asked, me)
}

async function runLimited(parts: AppParts, route: Route, asked: Asked, me: LiveSession | undefined): Promise<Answer> {
  const { deps } = parts
  const limit = addressLimits[route.limit]
  const actor = toActor(parts, asked, me)
  const subject = actor.ip ?? 'inside'
  if (limit?.counts === 'requests') await consume(deps, actor, limit, subject)

  const { upload } = route
  if (upload) {
    const run = async () => {
      const file = await readFile(parts, upload, route, asked, me)
      return route.handle(deps, new Context(parts, route, asked, me, file))
    }
    return parts.uploads.run(me?.user.id ?? subject, run)
  }

  const body = await readBody(parts, route, asked, me)
  const client = await whichClient(deps, route, actor, asked.header('authorization'), body)
  const handle = async () => route.handle(deps, new Context(parts, route, asked, me, body, client))
  if (limit?.counts !== 'failures') return handle()
  return attemptWithin(deps, actor, { limit, subject, isFailure: isGuess }, handle)
}

async function readFile(
  parts: AppParts,
  upload: UploadSpec,
  { origin }: Route,
  asked: Asked,
  me: LiveSession | undefined,
): Promise<Uint8Array> {
  const { file, fields } = await readUpload(asked.request, upload, origin === 'form' ? [formTokenField] : [])
  if (origin === 'form') checkFormToken(parts, asked, me, fields[formTokenField])
  return file
}

async function readBody(parts: AppParts, route: Route, asked: Asked, me: LiveSession | undefined): Promise<unknown> {
  if (route.origin === 'form') return readOwnForm(parts, route, asked, me)
  if (!route.body) return undefined
  if (route.bodyType === 'oauth') return parseInput(route.body, await readOAuthForm(asked.request))
  return parseInput(route.body, await readJson(asked.request, route.emptyBody === true))
}

async function readOwnForm(parts: AppParts, route: Route, asked: Asked, me: LiveSession | undefined): Promise<unknown> {
  const { [formTokenField]: token, ...form } = await readForm(asked.request)
  asked.form = form
  checkFormToken(parts, asked, me, token)
  if (!route.body) return undefined
  const filled = Object.entries(form).filter(([, value]) => value !== '') // browsers send what was left empty
  return parseInput(route.body, Object.fromEntries(filled))
}

function checkFormToken(parts: AppParts, asked: Asked, me: LiveSession | undefined, token: string | undefined): void {
  const browser = parts.cookies.form.read(asked.header('cookie'))
  assertFormToken(parts.deps.keyring, me, browser, { [formTokenField]: token ?? '' })
}

/** Whether a failure may be a guess at a secret. */
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

function toActor(parts: AppParts, asked: Asked, me: LiveSession | undefined): Actor {
  const cookie = asked.header('cookie')
  return {
    kind: 'request',
    ip: parts.clientIp(asked.peer, asked.header('x-forwarded-for')),
    userAgent: asked.header('user-agent') ?? null,
    requestId: asked.requestId,
    userId: me?.user.id ?? null,
    sessionId: me?.session.id ?? null,
    deviceCookie: parts.cookies.device.read(cookie) ?? null,
    signUpCookie: parts.cookies.signUp.read(cookie) ?? null,
    language: languageFor(parts, asked, me),
  }
}

/** What the asker reads: as chosen on a page, else as the profile says, else as the browser says. */
function languageFor({ cookies }: AppParts, asked: Asked, me: LiveSession | undefined): Language | null {
  const chosen = languageOf(cookies.language.read(asked.header('cookie'))) ?? languageOf(me?.user.profile.locale)
  return chosen ?? negotiateLanguage(asked.header('accept-language')) ?? null
}

/** What a handler gets. A class, since a getter in a literal is a closure per request, which V8 moves to the old generation: a fifth of the throughput. */
class Context implements RouteContext<AuthLevel, unknown, unknown, unknown> {
  readonly cookies: CookieJar
  readonly me: LiveSession
  readonly client: ServiceClient
  readonly body: unknown
  readonly query: unknown
  readonly params: unknown
  readonly header: Asked['header']
  readonly peer: string | null
  readonly #parts: AppParts
  readonly #asked: Asked

  constructor(
    parts: AppParts,
    route: Route,
    asked: Asked,
    me: LiveSession | undefined,
    body: unknown,
    client?: ServiceClient,
  ) {
    this.cookies = parts.cookies
    this.me = me as LiveSession // a route of level `session` got past whoAsks only with one
    this.client = client as ServiceClient // and one of level `client` past whichClient
    this.body = body
    this.query = route.query ? parseInput(route.query, queryOf(asked.request)) : undefined
    this.params = route.params ? parseInput(route.params, asked.params) : undefined
    this.header = asked.header
    this.peer = asked.peer
    this.#parts = parts
    this.#asked = asked
  }

  /** The path as it was asked for; the session check does not need it. */
  get path(): string {
    return new URL(this.#asked.request.url).pathname
  }

  /** Made when it is asked for: the session check does not. */
  get actor(): Actor {
    return toActor(this.#parts, this.#asked, this.me)
  }
}

/** Query parameters as an object; one given twice becomes an array, which no schema accepts. */
function queryOf(request: Request): Record<string, unknown> {
  const query: Record<string, unknown> = Object.create(null)
  const { searchParams } = new URL(request.url)
  for (const name of new Set(searchParams.keys())) {
    const values = searchParams.getAll(name)
    query[name] = values.length === 1 ? values[0] : values
  }
  return { ...query }
}

function fail(parts: AppParts, route: Route, asked: Asked, error: unknown): Response | Promise<Response> {
  const known = parts.printer.known(error, asked.requestId)
  parts.observer?.failed(route, known.code)
  if (route.tag === 'Pages') return failPage(parts, route, asked, known)
  if (route.bodyType === 'oauth') return parts.printer.oauthFailure(known, asked)
  return parts.printer.failure(known, asked, route.statuses?.[known.code] ?? statusOf[known.code])
}

/** A page that failed answers with a page. */
async function failPage(parts: AppParts, route: Route | undefined, asked: Asked, error: AuthError): Promise<Response> {
  const failed: FailedRequest = {
    actor: toActor(parts, asked, asked.me),
    cookies: parts.cookies,
    header: asked.header,
    me: asked.me,
    path: new URL(asked.request.url).pathname,
    form: asked.form,
  }
  // A cookie whose session ended is, to a page, nobody signed in.
  if (route?.auth === 'session' && error.code === 'token_invalid')
    return failPage(parts, route, asked, new AuthError('not_authenticated'))

  const recovered = await route?.recover?.(parts.deps, failed, error)
  const answer =
    recovered ?? parts.problemPage(parts.deps, failed, error, route?.statuses?.[error.code] ?? statusOf[error.code])
  const wait = error.retryAfter === undefined ? {} : { 'retry-after': String(error.retryAfter) }
  return parts.printer.success({ ...answer, headers: { ...wait, ...answer.headers } }, asked)
}

/** Whether a person looks at the answer: a browser that asked for something outside of the API. */
function wantsPage({ request, header }: Asked): boolean {
  const path = new URL(request.url).pathname
  return !/^\/(?:api|oauth2|\.well-known)\//.test(path) && (header('accept') ?? '').includes('text/html')
}

/** Stands for every method that no route of the path names. */
const everyMethod = '*'

/** The routes of each path by method; HEAD is answered as GET without the body. */
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
