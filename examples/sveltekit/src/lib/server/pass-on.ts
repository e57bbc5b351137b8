import type { RequestEvent } from '@sveltejs/kit'
import { AUTH_SERVER_URL } from '$app/env/private'

const paths = ['/api/', '/avatars/', '/.well-known/', '/oauth2/']

/** Headers of a single connection (RFC 9110, section 7.6.1), or already handled by this server (`Expect`). */
const hopByHop = [
  'connection',
  'expect',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]

/** Set by `fetch` itself for the connection to Gatelodge. */
const ofConnection = ['host', 'content-length']

/** Forwarding headers of a browser cannot be trusted: this server knows the client's address. */
const forwarding = /^(?:forwarded|x-forwarded-.*|x-real-ip)$/

/** Returns whether a request is for Gatelodge, which shares this server's origin. */
export function belongsToGatelodge(request: Request): boolean {
  const { pathname } = new URL(request.url)
  return paths.some((path) => pathname.startsWith(path))
}

/** Forwards a request to Gatelodge and returns its response. Streams both bodies and follows no redirect. */
export async function passOn({ request, getClientAddress }: RequestEvent): Promise<Response> {
  const { pathname, search } = new URL(request.url)
  const headers = without(request.headers, (name) => ofConnection.includes(name) || forwarding.test(name))
  headers.set('x-forwarded-for', getClientAddress())
  headers.set('accept-encoding', 'identity') // `fetch` would decompress the response without adjusting its headers

  const init: RequestInit & { duplex: 'half' } = {
    method: request.method,
    headers,
    body: request.body,
    duplex: 'half',
    redirect: 'manual',
    signal: request.signal,
  }
  try {
    const answer = await fetch(`${AUTH_SERVER_URL}${pathname}${search}`, init)
    return new Response(answer.body, { status: answer.status, headers: without(answer.headers) })
  } catch (cause) {
    if (!request.signal.aborted) console.error('a request was not passed on', cause)
    return isTooLarge(cause)
      ? problem(413, 'body_too_large', 'The body is larger than this server passes on')
      : problem(503, 'service_unavailable', 'The service is unavailable; try again')
  }
}

/** Returns the headers without those of a single connection and those that `isMore` selects. */
function without(headers: Headers, isMore: (name: string) => boolean = () => false): Headers {
  const named = (headers.get('connection') ?? '').split(',').map((name) => name.trim().toLowerCase())
  const passed = new Headers(headers)
  for (const name of [...passed.keys()])
    if (hopByHop.includes(name) || named.includes(name) || isMore(name)) passed.delete(name)
  return passed
}

/** Returns whether a body exceeded `BODY_SIZE_LIMIT`, at which the adapter aborts it. */
function isTooLarge(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined
  return cause instanceof Error && 'status' in cause && cause.status === 413
}

/** Returns the response that Gatelodge would have sent (RFC 9457). */
function problem(status: number, code: string, detail: string): Response {
  const headers = { 'content-type': 'application/problem+json', 'cache-control': 'no-store' }
  return new Response(JSON.stringify({ type: `urn:gatelodge:problem:${code}`, status, code, detail }), {
    status,
    headers,
  })
}
