import type { IncomingMessage, ServerResponse } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import type { Auth } from '../auth.ts'

/** A request listener of `node:http`. */
export type NodeHandler = (incoming: IncomingMessage, outgoing: ServerResponse) => void

/**
 * Creates a request listener that responds to every request with Gatelodge and passes it the client's address. Must receive the body unread.
 * @example
 * createServer(toNodeHandler(auth)).listen(3000)
 */
export function toNodeHandler(auth: Auth): NodeHandler {
  const options = { overrideGlobalObjects: false }
  const answer = getRequestListener((request, { incoming }) => {
    return auth.fetch(request, { incoming: incoming as IncomingMessage }) // a NodeHandler receives no other message
  }, options)
  return (incoming, outgoing) => void answer(incoming, outgoing)
}
