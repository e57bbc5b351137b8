import { AuthServiceUnavailable, toError } from './errors.ts'
import { isRecord, parseJson } from './json.ts'

/** The subset of `fetch` used here. */
export type Fetch = (input: string | Request, init?: RequestInit) => Promise<Response>

/** When to stop waiting for a response. */
export interface AskOptions {
  /** ms */
  readonly timeout: number
  /** A signal of the caller, who may abort earlier. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Sends one request to this API and returns the JSON of the response, or undefined for 204. Redirects are rejected, since no JSON route redirects.
 * @throws AuthError as returned by the API; service_unavailable if no response of this API arrives in time; the reason of `signal` if it aborts
 */
export async function ask(fetch: Fetch, url: string, init: RequestInit, options: AskOptions): Promise<unknown> {
  const { response, text } = await receive(fetch, url, init, options)
  if (response.status === 204) return undefined

  const body = parseJson(text)
  if (!response.ok) throw toError(response, body)
  if (!isRecord(body)) throw new AuthServiceUnavailable()
  return body
}

async function receive(fetch: Fetch, url: string, init: RequestInit, { timeout, signal }: AskOptions) {
  const deadline = AbortSignal.timeout(timeout)
  const either = signal ? AbortSignal.any([signal, deadline]) : deadline
  try {
    const response = await fetchHere(fetch, url, { ...init, signal: either })
    return { response, text: await response.text() }
  } catch (cause) {
    signal?.throwIfAborted()
    throw new AuthServiceUnavailable({ cause })
  }
}

/**
 * Fetches an address without following redirects. Does not use `redirect: 'error'`, which Cloudflare Workers reject.
 * @throws TypeError for a redirect, which browsers show as a response without a status, other platforms with its own
 */
export async function fetchHere(fetch: Fetch, url: string, init: RequestInit): Promise<Response> {
  const response = await fetch(url, { ...init, redirect: 'manual' })
  const { type, status, body } = response
  if (type !== 'opaqueredirect' && (status < 300 || status > 399)) return response

  await body?.cancel()
  throw new TypeError('a redirect')
}
