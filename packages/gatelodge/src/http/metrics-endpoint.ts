import type { Fetch } from './app.ts'

/** Serves `GET /metrics` in the Prometheus text format, and nothing else. Requires no credential, because it listens only where the scraper can reach it. */
export function metricsEndpoint(read: () => Promise<string>): Fetch {
  return async ({ method, url }) => {
    if (new URL(url).pathname !== '/metrics')
      return new Response('not found: the metrics are at /metrics\n', { status: 404 })
    if (method !== 'GET' && method !== 'HEAD')
      return new Response(null, { status: 405, headers: { allow: 'GET, HEAD' } })

    return new Response(await read(), { headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' } })
  }
}
