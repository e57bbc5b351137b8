import type { ErrorCode } from '../kernel/errors.ts'
import type { Route } from './route.ts'

/** Whoever counts requests. Called on the path of each of them, so it has to be quick, and must not throw. */
export interface RequestObserver {
  /** Some moment, in ms. */
  now(): number
  /** An answer is ready to be sent; without a route, none was found for the path and method. */
  answered(route: Route | undefined, status: number, startedAt: number): void
  /** What a route could not do. */
  failed(route: Route, code: ErrorCode): void
}

/** Tells the observer of a response once it is there. Stays synchronous with it. */
export function observed(
  observer: RequestObserver,
  route: Route | undefined,
  startedAt: number,
  response: Response | Promise<Response>,
): Response | Promise<Response> {
  if (response instanceof Promise) {
    return response.then((done) => {
      observer.answered(route, done.status, startedAt)
      return done
    })
  }
  observer.answered(route, response.status, startedAt)
  return response
}
