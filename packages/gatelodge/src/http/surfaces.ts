import type { LiveSession } from '../domain/session-cache.ts'
import { AuthError } from '../kernel/errors.ts'
import { parseInput, readForm, readJson, readOAuthForm } from './body.ts'
import { type AppParts, toActor } from './context.ts'
import { assertFormToken, formTokenField } from './form-token.ts'
import { readUpload, type UploadSpec } from './multipart.ts'
import { statusOf } from './problem.ts'
import { pathOf, type RequestInfo } from './request-info.ts'
import { type FailedRequest, needsSession, type Route, type Surface } from './route.ts'

/** How a surface reads requests and renders failures. */
export interface SurfaceBehaviour {
  /** Whether an Authorization header may identify the user. */
  readonly readsAuthorization: boolean
  /** Returns the body as the route's schema parsed it, or undefined if the route takes none. */
  readBody(parts: AppParts, route: Route, request: RequestInfo): Promise<unknown>
  /** Returns the bytes of the uploaded file. */
  readFile(parts: AppParts, upload: UploadSpec, request: RequestInfo): Promise<Uint8Array>
  fail(parts: AppParts, route: Route, request: RequestInfo, error: AuthError): Response | Promise<Response>
}

const json: SurfaceBehaviour = {
  readsAuthorization: true,
  async readBody(_parts, { body, emptyBody }, { request }) {
    return body && parseInput(body, await readJson(request, emptyBody === true))
  },
  async readFile(_parts, upload, { request }) {
    return (await readUpload(request, upload, [])).file
  },
  fail: ({ responder }, { statuses }, request, error) =>
    responder.failure(error, request, statuses?.[error.code] ?? statusOf[error.code]),
}

const oauth: SurfaceBehaviour = {
  ...json,
  async readBody(_parts, { body }, { request }) {
    return body && parseInput(body, await readOAuthForm(request))
  },
  fail: ({ responder }, _route, request, error) => responder.oauthFailure(error, request),
}

const page: SurfaceBehaviour = {
  readsAuthorization: false, // a form's session must be the one that its answer can renew
  async readBody(parts, route, request) {
    if (route.origin !== 'form') return undefined

    const { [formTokenField]: token, ...form } = await readForm(request.request)
    request.form = form
    checkFormToken(parts, request, token)
    if (!route.body) return undefined
    const filled = Object.entries(form).filter(([, value]) => value !== '') // browsers send empty fields too
    return parseInput(route.body, Object.fromEntries(filled))
  },
  async readFile(parts, upload, request) {
    const { file, fields } = await readUpload(request.request, upload, [formTokenField])
    checkFormToken(parts, request, fields[formTokenField])
    return file
  },
  fail: failPage,
}

export const surfaces = { json, oauth, page } as const satisfies Record<Surface, SurfaceBehaviour>

/** Answers a failure with a page: the route's own, or the standard one. Without a route, for a path that does not exist. */
export async function failPage(
  parts: AppParts,
  route: Route | undefined,
  request: RequestInfo,
  error: AuthError,
): Promise<Response> {
  const failed: FailedRequest = {
    actor: toActor(parts, request, request.me),
    cookies: parts.cookies,
    header: request.header,
    me: sessionOf(request),
    path: pathOf(request),
    form: request.form,
  }
  // To a page, a cookie whose session has ended means that no user is signed in.
  if (route && error.code === 'token_invalid' && needsSession(route))
    return failPage(parts, route, request, new AuthError('not_authenticated'))

  const recovered = await route?.recover?.(parts.deps, failed, error)
  const answer =
    recovered ?? parts.problemPage(parts.deps, failed, error, route?.statuses?.[error.code] ?? statusOf[error.code])
  const wait = error.retryAfter === undefined ? {} : { 'retry-after': String(error.retryAfter) }
  return parts.responder.success({ ...answer, headers: { ...wait, ...answer.headers } }, request)
}

function checkFormToken(parts: AppParts, request: RequestInfo, token: string | undefined): void {
  const browser = parts.cookies.form.read(request.header('cookie'))
  assertFormToken(parts.deps.keyring, sessionOf(request), browser, { [formTokenField]: token ?? '' })
}

/** Returns the session of the page's user; pages do not accept API tokens. */
function sessionOf({ me }: RequestInfo): LiveSession | undefined {
  return me?.kind === 'session' ? me : undefined
}
