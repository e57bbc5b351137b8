import type { Fetch } from './ask.ts'
import { type Held, isSamePerson, type Tokens } from './tokens.ts'

interface Parts {
  readonly fetch: Fetch
  /** Undefined in cookie mode. */
  readonly tokens: Tokens | undefined
  /** Where a token may go. */
  readonly origins: readonly string[]
  /** What relative addresses are relative to. */
  readonly href: string | undefined
}

/**
 * `fetch` with the access token of whoever is signed in (RFC 6750, section 2.1), and once more after a 401 and a refresh, for the same person only.
 * @throws TypeError for any other origin, before a token is looked at
 */
export async function fetchWithTokens(
  { fetch, tokens, origins, href }: Parts,
  input: string | URL | Request,
  init: RequestInit,
): Promise<Response> {
  const request = typeof input === 'object' && 'url' in input ? input : undefined
  const url = new URL(request ? request.url : String(input), href)
  // The origin of every file: and data: address is 'null': without the look at the protocol they would be one.
  if (!/^https?:$/.test(url.protocol) || !origins.includes(url.origin))
    throw new TypeError('this origin is not one that the client may send a token to: name it in `origins`')

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

/** Whether the body can be sent twice. A Request has a stream for a body, which is used up. Not every browser tells whether it has one: Firefox has no `Request.body`. */
function isRepeatable(request: Request | undefined, { body }: RequestInit): boolean {
  if (body === undefined || body === null)
    return !request || request.body === null || request.method === 'GET' || request.method === 'HEAD'
  if (typeof body === 'string' || ArrayBuffer.isView(body)) return true
  return [ArrayBuffer, Blob, FormData, URLSearchParams].some((kind) => body instanceof kind)
}
