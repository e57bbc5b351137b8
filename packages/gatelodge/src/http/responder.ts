import type { Config } from '../config.ts'
import { AuthError } from '../kernel/errors.ts'
import type { Log } from '../kernel/log.ts'
import { toOAuthFailure } from './oauth-error.ts'
import { statusOf, toProblem } from './problem.ts'
import type { RequestInfo } from './request-info.ts'
import type { Answer } from './route.ts'
import { createSecurityHeaders } from './security-headers.ts'

/** Renders answers and failures, with the headers that every response has. */
export interface Responder {
  success(answer: Answer, request: RequestInfo): Response
  /** Renders any failure as problem+json. Anything but an AuthError is logged and becomes `internal`. */
  failure(error: unknown, request: RequestInfo, status?: number, headers?: Readonly<Record<string, string>>): Response
  /** Renders a failure as RFC 6749, section 5.2, defines it. */
  oauthFailure(error: AuthError, request: RequestInfo): Response
  /** Returns the failure that the caller may see. Anything but an AuthError is logged and becomes `internal`. */
  known(error: unknown, requestId: string): AuthError
  /** Answers a CORS preflight. */
  preflight(origin: string | undefined, methods: readonly string[]): Response
}

/** Creates a responder for one configuration; the headers are built once. */
export function createResponder(config: Config, log: Log): Responder {
  const allowed = new Set(config.allowedOrigins)
  /** Failures already logged: one that may become a page passes here twice. */
  const told = new WeakSet<AuthError>()
  const headersOf = createSecurityHeaders(config)

  function success(answer: Answer, request: RequestInfo): Response {
    const [body, headers] = contentOf(answer)
    const extra = corsHeaders(request.header('origin'))
    if (!extra && !answer.cookies && !answer.headers && answer.location === undefined) {
      return new Response(body, { status: answer.status, headers: { ...headers, 'x-request-id': request.requestId } })
    }
    return respond(
      body,
      answer.status,
      { ...headers, ...answer.headers, ...extra, 'x-request-id': request.requestId },
      answer,
    )
  }

  function contentOf(answer: Answer): [Body, Readonly<Record<string, string>>] {
    if (answer.jsonText !== undefined) return [answer.jsonText, headersOf.json]
    if (answer.json !== undefined) return [JSON.stringify(answer.json), headersOf.json]
    if (answer.html !== undefined) return [answer.html, headersOf.html]
    if (answer.text !== undefined) return [answer.text, headersOf.text]
    if (answer.bytes !== undefined) return [answer.bytes, headersOf.other]
    return [null, headersOf.other]
  }

  function failure(
    error: unknown,
    request: RequestInfo,
    status?: number,
    headers: Readonly<Record<string, string>> = {},
  ): Response {
    const known = toKnown(error, request.requestId)
    const problem = toProblem(known, request.requestId, status ?? statusOf[known.code])
    return respond(JSON.stringify(problem), problem.status, {
      ...headersOf.problem,
      ...corsHeaders(request.header('origin')),
      ...headers,
      ...(known.retryAfter !== undefined && { 'retry-after': String(known.retryAfter) }),
      ...((problem.status === 401 || known.code === 'insufficient_scope') && { 'www-authenticate': challenge(known) }),
      'x-request-id': request.requestId,
    })
  }

  function oauthFailure(error: AuthError, request: RequestInfo): Response {
    return respond(JSON.stringify(toOAuthFailure(error)), statusOf[error.code], {
      ...headersOf.json,
      ...corsHeaders(request.header('origin')),
      ...(error.retryAfter !== undefined && { 'retry-after': String(error.retryAfter) }),
      ...(error.code === 'invalid_client' && { 'www-authenticate': 'Basic realm="gatelodge", charset="UTF-8"' }),
      'x-request-id': request.requestId,
    })
  }

  function toKnown(error: unknown, requestId: string): AuthError {
    if (error instanceof AuthError && (error.code !== 'internal' || told.has(error))) {
      const { code, cause: err } = error
      if (statusOf[code] === 503 && err && !told.has(error))
        log.error({ instance: `urn:uuid:${requestId}`, err }, 'a service failed')
      told.add(error)
      return error
    }
    log.error({ instance: `urn:uuid:${requestId}`, err: error }, 'unexpected error')
    const known = new AuthError('internal')
    told.add(known)
    return known
  }

  function corsHeaders(origin: string | undefined): Readonly<Record<string, string>> | undefined {
    if (allowed.size === 0 || origin === undefined || !allowed.has(origin)) return undefined
    return {
      'access-control-allow-origin': origin,
      'access-control-allow-credentials': 'true',
      'access-control-expose-headers': 'retry-after, x-request-id',
      'cross-origin-resource-policy': 'cross-origin',
      vary: 'Origin',
    }
  }

  function preflight(origin: string | undefined, methods: readonly string[]): Response {
    const cors = corsHeaders(origin)
    return new Response(null, {
      status: 204,
      headers: {
        ...headersOf.other,
        allow: methods.join(', '),
        ...(cors && {
          ...cors,
          'access-control-allow-methods': methods.join(', '),
          'access-control-allow-headers': 'authorization, content-type',
          'access-control-max-age': '600',
        }),
      },
    })
  }

  return { success, failure, oauthFailure, known: toKnown, preflight }
}

type Body = string | Uint8Array<ArrayBuffer> | null

function respond(
  body: Body,
  status: number,
  headers: Readonly<Record<string, string>>,
  answer: Pick<Answer, 'cookies' | 'location'> = {},
): Response {
  const [cookie, ...others] = answer.cookies ?? []
  const single = {
    ...headers,
    ...(answer.location !== undefined && { location: answer.location }),
    ...(cookie !== undefined && { 'set-cookie': cookie }),
  }
  // A plain object is passed on unchanged; a Headers object costs as much as rendering the page.
  if (others.length === 0) return new Response(body, { status, headers: single })

  const all = new Headers(single)
  for (const other of others) all.append('set-cookie', other)
  return new Response(body, { status, headers: all })
}

/** Returns the challenge (RFC 6750, section 3). It has no error code if no credentials were sent. */
function challenge(error: AuthError): string {
  const name = { token_invalid: 'invalid_token', insufficient_scope: 'insufficient_scope' }[error.code as string]
  return name === undefined ? 'Bearer realm="gatelodge"' : `Bearer realm="gatelodge", error="${name}"`
}
