import type { IncomingMessage } from 'node:http'
import type { Deps } from '../domain/deps.ts'
import { uuidv7 } from '../kernel/ids.ts'
import type { Caller } from './authenticate.ts'
import type { FormValues } from './route.ts'

/** What the server knows about a request beyond the Request itself. */
export interface Bindings {
  readonly incoming?: IncomingMessage
  /** The client's address, if the host framework passes it. */
  readonly peer?: string
}

/** A request on its way through the pipeline. */
export interface RequestInfo {
  readonly request: Request
  readonly requestId: string
  readonly header: (name: string) => string | undefined
  readonly peer: string | null
  readonly params: Readonly<Record<string, string>>
  /** The message of node:http behind the request, if there is one. */
  readonly incoming: IncomingMessage | undefined
  /** Set by authentication, for the page that reports a failure. */
  me?: Caller | undefined
  form?: FormValues
}

/** Returns the request with its headers and peer. Under our own server they come from the socket, which avoids building a Headers object. */
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
    incoming,
  }
}

/** Returns the path of a request, without the query. */
export function pathOf({ request }: RequestInfo): string {
  return new URL(request.url).pathname
}

/** Returns the Host header as sent; the server has replaced the parsed one (see server.ts). */
function rawHost(incoming: IncomingMessage): string | undefined {
  const index = incoming.rawHeaders.findIndex((name, position) => position % 2 === 0 && name.toLowerCase() === 'host')
  return index < 0 ? undefined : incoming.rawHeaders[index + 1]
}

function headerText(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(', ') : value
}
