import type { IncomingMessage } from 'node:http'
import type { Deps } from '../domain/deps.ts'
import { uuidv7 } from '../kernel/ids.ts'
import type { Caller } from './authenticate.ts'
import type { FormValues } from './route.ts'

/** What the server knows of a request beyond the Request itself. */
export interface Bindings {
  readonly incoming?: IncomingMessage
  /** The client's address, when the library's caller names it. */
  readonly peer?: string
}

/** A request on its way through the pipeline. */
export interface RequestInfo {
  readonly request: Request
  readonly requestId: string
  readonly header: (name: string) => string | undefined
  readonly peer: string | null
  readonly params: Readonly<Record<string, string>>
  /** Found on the way, for the page of a failure. */
  me?: Caller | undefined
  form?: FormValues
}

/** Returns the request with its headers and its peer; from the socket where our own server has it, which saves building a Headers object. */
export function createRequestInfo(
  deps: Deps,
  request: Request,
  { incoming, peer }: Bindings,
  params: Readonly<Record<string, string>>,
): RequestInfo {
  return {
    request,
    requestId: uuidv7(deps.clock, deps.random),
    header: incoming
      ? (name) => (name === 'host' ? rawHost(incoming) : headerText(incoming.headers[name]))
      : (name) => request.headers.get(name) ?? undefined,
    peer: incoming?.socket.remoteAddress ?? peer ?? null,
    params,
  }
}

/** Returns the path of a request, without its query. */
export function pathOf({ request }: RequestInfo): string {
  return new URL(request.url).pathname
}

/** The Host header as it was sent; the server replaced the parsed one (see server.ts). */
function rawHost(incoming: IncomingMessage): string | undefined {
  const index = incoming.rawHeaders.findIndex((name, position) => position % 2 === 0 && name.toLowerCase() === 'host')
  return index < 0 ? undefined : incoming.rawHeaders[index + 1]
}

function headerText(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(', ') : value
}
