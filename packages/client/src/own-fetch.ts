import type { Fetch } from './ask.ts'
import { type Held, isSamePerson, type Tokens } from './tokens.ts'

interface Parts {
  readonly fetch: Fetch
  /** Undefined in cookie mode. */
  readonly tokens: Tokens | undefined
  /** Origins that a token may be sent to. */
  readonly origins: readonly string[]
  /** The base of relative URLs. */
  readonly href: string | undefined
}

/**
 * Fetches with the access token of the signed-in user (RFC 6750, section 2.1). After a 401 it refreshes the token and repeats the request once, for the same
 * user only.
 * @throws TypeError for any other origin, before a token is read
 */
export async function fetchWithTokens(
  { fetch, tokens, origins, href }: Parts,
  input: string | URL | Request,
  init: RequestInit,
): Promise<Response> {
  const request = typeof input === 'object' && 'url' in input ? input : undefined
  const url = new URL(request ? request.url : String(input), href)
  // The origin of every file: and data: URL is 'null': without the check of the protocol they would all count as one origin.
  if (!/^https?:$/.test(url.protocol) || !origins.includes(url.origin))
    throw new TypeError('the client may not send a token to this origin: add it to `origins`')

  const send = (held: Held | undefined) => fetch(request ?? url.href, held ? withToken(request, init, held) : init)
  const signal = init.signal ?? request?.signal
  const held = await tokens?.current(signal)
  const response = await send(held)
  if (response.status !== 401 || !tokens || !held || !isRepeatable(request, init)) return response

  const next = await tokens.after(held, signal)
  if (!next || !isSamePerson(held, next)) return response

  await response.body?.cancel()
  return send(next)
}

function withToken(request: Request | undefined, init: RequestInit, { access_token }: Held): RequestInit {
  const headers = new Headers(init.headers ?? request?.headers)
  headers.set('authorization', `Bearer ${access_token}`)
  return { ...init, headers }
}

/**
 * Returns whether the body can be sent twice. The body of a Request is a stream and can be read only once. Not every browser reveals whether there is one:
 * Firefox lacks `Request.body`.
 */
function isRepeatable(request: Request | undefined, { body }: RequestInit): boolean {
  if (body === undefined || body === null)
    return !request || request.body === null || request.method === 'GET' || request.method === 'HEAD'
  if (typeof body === 'string' || ArrayBuffer.isView(body)) return true
  return [ArrayBuffer, Blob, FormData, URLSearchParams].some((kind) => body instanceof kind)
}
