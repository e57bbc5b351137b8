import { type Fetch, fetchHere } from '../ask.ts'
import { AuthServiceUnavailable, toError } from '../errors.ts'
import { parseJson } from '../json.ts'

/** How the auth service is reached. */
export interface Service {
  readonly fetch: Fetch
  /** How long one answer may take, in ms. */
  readonly timeout: number
}

const largestAnswer = 256 * 1024

/**
 * One answer of the auth service: its head, and its JSON or undefined. No redirect is followed: it could lead the credentials anywhere.
 * @throws service_unavailable when there is none in time, or it is larger than 256 KiB
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

/** What stands for an answer that was not the one that was needed, whatever it says. */
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
      throw new RangeError('the answer is larger than 256 KiB')
    }
    text += decoder.decode(value, { stream: true })
  }
}
