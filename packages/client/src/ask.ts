import { AuthServiceUnavailable, toError } from './errors.ts'
import { isRecord, parseJson } from './json.ts'

/** The part of `fetch` that is used here. */
export type Fetch = (input: string | Request, init?: RequestInit) => Promise<Response>

/** How long an answer is waited for. */
export interface Patience {
  /** ms */
  readonly timeout: number
  /** Of the caller, who may give up earlier. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Sends one request to this API and answers its JSON, undefined for 204. Redirects are refused: no route that answers JSON leads elsewhere.
 * @throws AuthError as the API answers it, service_unavailable when nothing of this API answered in time; the reason of `signal` when it gave up
 */
export async function ask(fetch: Fetch, url: string, init: RequestInit, patience: Patience): Promise<unknown> {
  const { response, text } = await receive(fetch, url, init, patience)
  if (response.status === 204) return undefined

  const body = parseJson(text)
  if (!response.ok) throw toError(response, body)
  if (!isRecord(body)) throw new AuthServiceUnavailable()
  return body
}

async function receive(fetch: Fetch, url: string, init: RequestInit, { timeout, signal }: Patience) {
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
 * Fetches what is at this address, and follows no redirect. Not by `redirect: 'error'`, which Cloudflare Workers refuse to send at all.
 * @throws TypeError for a redirect: in browsers an answer without a status, elsewhere one with its own
 */
export async function fetchHere(fetch: Fetch, url: string, init: RequestInit): Promise<Response> {
  const response = await fetch(url, { ...init, redirect: 'manual' })
  const { type, status, body } = response
  if (type !== 'opaqueredirect' && (status < 300 || status > 399)) return response

  await body?.cancel()
  throw new TypeError('a redirect')
}
