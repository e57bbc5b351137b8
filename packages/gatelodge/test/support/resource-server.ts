import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import express, { type NextFunction, type Request, type Response } from 'express'
import { expressjwt } from 'express-jwt'
import { type ExpressJwtOptions, expressJwtSecret } from 'jwks-rsa'

/** The response of a third-party service. */
export interface Answered {
  readonly status: number
  /** The reason for a rejection, as its libraries word it. */
  readonly reason: string
  /** The claims of the caller that it accepted. */
  readonly claims: Readonly<Record<string, unknown>>
}

/** A third-party service that accepts access tokens. */
export interface ResourceServer {
  ask(token?: string): Promise<Answered>
  [Symbol.asyncDispose](): Promise<void>
}

interface Trusted {
  readonly issuer: string
  readonly audience: string
  readonly algorithm: 'RS256' | 'ES256'
  readonly jwks: ExpressJwtOptions
}

/** Starts a real Express 5 app on loopback with express-jwt and jwks-rsa, configured as in the guide on access tokens. */
export async function expressResourceServer({ issuer, audience, algorithm, jwks }: Trusted): Promise<ResourceServer> {
  const app = express()
  app.use(expressjwt({ secret: expressJwtSecret(jwks), algorithms: [algorithm], issuer, audience }))
  app.get('/orders', (request: Request & { auth?: object }, response: Response) => {
    response.json({ claims: request.auth })
  })
  app.use((error: Error & { status?: number }, _request: Request, response: Response, _next: NextFunction) => {
    response.status(error.status ?? 500).json({ reason: `${error.name}: ${error.message}` })
  })

  const server: Server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // it listens on a port
  return {
    async ask(token) {
      const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` }
      const answer = await fetch(`http://127.0.0.1:${port}/orders`, { headers })
      const { reason = '', claims = {} } = (await answer.json()) as Partial<Answered> // written just above
      return { status: answer.status, reason, claims }
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
