import type { Config } from '../../config.ts'
import { safeRedirect } from '../../http/safe-redirect.ts'

/**
 * The sign-in page, which leads back to what was asked for at a proxy. What the proxy says of that is believed no more than a `next` that anybody may
 * write: it leads to this site and the configured origins only.
 */
export function loginFor(config: Config, header: (name: string) => string | undefined): string {
  const next = safeRedirect(config, asked(header), '')
  return next === '' ? `${config.publicUrl}/login` : `${config.publicUrl}/login?${new URLSearchParams({ next })}`
}

/** As Traefik, Caddy and the samples of the guide tell it. */
function asked(header: (name: string) => string | undefined): string | undefined {
  const [scheme, host, path] = ['x-forwarded-proto', 'x-forwarded-host', 'x-forwarded-uri'].map(header)
  if (path === undefined) return undefined
  return scheme === undefined || host === undefined ? path : `${scheme}://${host}${path}`
}
