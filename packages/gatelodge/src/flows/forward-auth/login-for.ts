import type { Config } from '../../config.ts'
import { safeRedirect } from '../../http/safe-redirect.ts'

/**
 * Returns the URL of the sign-in page, which leads back to the page requested at the proxy. The proxy's headers are trusted no more than a `next` parameter
 * that anyone may write: they lead only to this site and the configured origins.
 */
export function loginFor(config: Config, header: (name: string) => string | undefined): string {
  const next = safeRedirect(config, asked(header), '')
  return next === '' ? `${config.publicUrl}/login` : `${config.publicUrl}/login?${new URLSearchParams({ next })}`
}

/** Returns the requested URL as Traefik, Caddy and the samples of the guide report it. */
function asked(header: (name: string) => string | undefined): string | undefined {
  const [scheme, host, path] = ['x-forwarded-proto', 'x-forwarded-host', 'x-forwarded-uri'].map(header)
  if (path === undefined) return undefined
  return scheme === undefined || host === undefined ? path : `${scheme}://${host}${path}`
}
