import { type Fetch, fetchHere } from '../ask.ts'
import { AuthServiceUnavailable, toError } from '../errors.ts'
import { parseJson } from '../json.ts'

/** How to reach the auth service. */
export interface Service {
  readonly fetch: Fetch
  /** Timeout of one response, in ms. */
  readonly timeout: number
}

const largestAnswer = 256 * 1024

/**
 * Requests something from the auth service. Returns the response and its JSON, or undefined. Redirects are not followed, since they could send the
 * credentials anywhere.
 * @throws service_unavailable if there is no response in time, or it is larger than 256 KiB
 */
export async function askService(
  { fetch, timeout }: Service,
  url: string,
  init: RequestInit,
): Promise<{ response: Response; body: unknown }> {
  try {
    const response = await fetchHere(fetch, url, { ...init, signal: AbortSignal.timeout(timeout) })
    return { response, body: parseJson(await readText(response)) }
  } catch (cause) {
    throw new AuthServiceUnavailable({ cause })
  }
}

/** Returns the error for a response that was not the expected one, whatever it contains. */
export function unavailable(response: Response, body: unknown): AuthServiceUnavailable {
  const cause = toError(response, body)
  return new AuthServiceUnavailable({ retryAfter: cause.retryAfter, instance: cause.instance, cause })
}

async function readText({ body }: Response): Promise<string> {
  if (!body) return ''

  const decoder = new TextDecoder()
  const reader = body.getReader()
  let text = ''
  for (let size = 0; ; ) {
    const { done, value } = await reader.read()
    if (done) return text + decoder.decode()
    size += value.byteLength
    if (size > largestAnswer) {
      await reader.cancel()
      throw new RangeError('the response is larger than 256 KiB')
    }
    text += decoder.decode(value, { stream: true })
  }
}
