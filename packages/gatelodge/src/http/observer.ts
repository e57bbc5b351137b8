import type { ErrorCode } from '../kernel/errors.ts'
import type { Route } from './route.ts'

/** Observes requests. Called for every request, so it must be quick and must not throw. */
export interface RequestObserver {
  /** Returns a monotonic time, in ms. */
  now(): number
  /** Called when a response is ready to be sent. Without a route, none matched the path and method. */
  answered(route: Route | undefined, status: number, startedAt: number): void
  /** Called when a route failed. */
  failed(route: Route, code: ErrorCode): void
}

/** Notifies the observer when the response is ready. Stays synchronous if the response is. */
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
