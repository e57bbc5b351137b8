import type { Config } from '../config.ts'
import { AuthError } from '../kernel/errors.ts'
import type { Log } from '../kernel/log.ts'
import { toOAuthFailure } from './oauth-error.ts'
import { statusOf, toProblem } from './problem.ts'
import type { Answer } from './route.ts'

interface Asked {
  readonly request: Request
  readonly requestId: string
  readonly header: (name: string) => string | undefined
}

/** Prints answers and failures with the headers that every response has. */
export interface Printer {
  success(answer: Answer, asked: Asked): Response
  /** Any failure as problem+json; what is no AuthError is logged and printed as `internal`. */
  failure(error: unknown, asked: Asked, status?: number, headers?: Readonly<Record<string, string>>): Response
  /** Any failure as RFC 6749, section 5.2, has it. */
  oauthFailure(error: AuthError, asked: Asked): Response
  /** The failure as callers may know it: what is no AuthError is logged and becomes `internal`. */
  known(error: unknown, requestId: string): AuthError
  /** The answer to a CORS preflight. */
  preflight(origin: string | undefined, methods: readonly string[]): Response
}

const htmlPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; frame-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
const apiPolicy = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'"

/** A printer for one configuration; the headers are put together once. */
export function createPrinter(config: Config, log: Log): Printer {
  const allowed = new Set(config.allowedOrigins)
  /** What was logged: a failure comes by twice when it may become a page. */
  const told = new WeakSet<AuthError>()
  const common: Readonly<Record<string, string>> = {
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'permissions-policy': 'camera=(), geolocation=(), microphone=(), publickey-credentials-get=(self)',
    ...(config.publicUrl.startsWith('https:') && {
      'strict-transport-security': 'max-age=63072000; includeSubDomains',
    }),
  }
  const jsonHeaders = {
    'content-type': 'application/json; charset=utf-8',
    'content-security-policy': apiPolicy,
    ...common,
  }
  const textHeaders = { ...jsonHeaders, 'content-type': 'text/plain; charset=utf-8' }
  const htmlHeaders = {
    ...jsonHeaders,
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': htmlPolicy,
  }
  const problemHeaders = { ...jsonHeaders, 'content-type': 'application/problem+json' }
  const emptyHeaders = { 'content-security-policy': apiPolicy, ...common }

  function success(answer: Answer, asked: Asked): Response {
    const [body, headers] = contentOf(answer)
    const extra = corsHeaders(asked.header('origin'))
    if (!extra && !answer.cookies && !answer.headers && answer.location === undefined) {
      return new Response(body, { status: answer.status, headers: { ...headers, 'x-request-id': asked.requestId } })
    }
    return respond(
      body,
      answer.status,
      { ...headers, ...answer.headers, ...extra, 'x-request-id': asked.requestId },
      answer,
    )
  }

  function contentOf(answer: Answer): [Body, Readonly<Record<string, string>>] {
    if (answer.jsonText !== undefined) return [answer.jsonText, jsonHeaders]
    if (answer.json !== undefined) return [JSON.stringify(answer.json), jsonHeaders]
    if (answer.html !== undefined) return [answer.html, htmlHeaders]
    if (answer.text !== undefined) return [answer.text, textHeaders]
    if (answer.bytes !== undefined) return [answer.bytes, emptyHeaders]
    return [null, emptyHeaders]
  }

  function failure(
    error: unknown,
    asked: Asked,
    status?: number,
    headers: Readonly<Record<string, string>> = {},
  ): Response {
    const known = toKnown(error, asked.requestId)
    const problem = toProblem(known, asked.requestId, status ?? statusOf[known.code])
    return respond(JSON.stringify(problem), problem.status, {
      ...problemHeaders,
      ...corsHeaders(asked.header('origin')),
      ...headers,
      ...(known.retryAfter !== undefined && { 'retry-after': String(known.retryAfter) }),
      ...((problem.status === 401 || known.code === 'insufficient_scope') && { 'www-authenticate': challenge(known) }),
      'x-request-id': asked.requestId,
    })
  }

  function oauthFailure(error: AuthError, asked: Asked): Response {
    return respond(JSON.stringify(toOAuthFailure(error)), statusOf[error.code], {
      ...jsonHeaders,
      ...corsHeaders(asked.header('origin')),
      ...(error.retryAfter !== undefined && { 'retry-after': String(error.retryAfter) }),
      ...(error.code === 'invalid_client' && { 'www-authenticate': 'Basic realm="gatelodge", charset="UTF-8"' }),
      'x-request-id': asked.requestId,
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
    log.error({ instance: `urn:uuid:${requestId}`, err: error }, 'unforeseen failure')
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
        ...emptyHeaders,
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
  // A plain object is passed on as it is; a Headers object costs as much as the page that it stands before.
  if (others.length === 0) return new Response(body, { status, headers: single })

  const all = new Headers(single)
  for (const other of others) all.append('set-cookie', other)
  return new Response(body, { status, headers: all })
}

/** RFC 6750, section 3: no error code when no credentials were sent. */
function challenge(error: AuthError): string {
  const name = { token_invalid: 'invalid_token', insufficient_scope: 'insufficient_scope' }[error.code as string]
  return name === undefined ? 'Bearer realm="gatelodge"' : `Bearer realm="gatelodge", error="${name}"`
}
