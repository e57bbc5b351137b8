import type { Config } from '../config.ts'

/** Returns where to redirect: `next` if it leads to one of our pages or to a configured origin, otherwise `fallback`. The only code that reads `next`. */
export function safeRedirect(
  config: Pick<Config, 'publicUrl' | 'frontendUrl' | 'allowedOrigins'>,
  next: string | undefined,
  fallback: string,
): string {
  if (next === undefined || next.length > 2048 || /[\p{Cc}\p{Zl}\p{Zp}\\\s]/u.test(next)) return fallback

  const url = URL.canParse(next, config.publicUrl) ? new URL(next, config.publicUrl) : undefined
  if (url?.username !== '' || url.password !== '') return fallback
  // The URL parser decides what a browser would make of it; two slashes would name another host.
  if (url.pathname.startsWith('//')) return fallback
  if (url.origin === config.publicUrl) return `${url.pathname}${url.search}${url.hash}`

  const origins = [...config.allowedOrigins, ...(config.frontendUrl ? [new URL(config.frontendUrl).origin] : [])]
  return origins.includes(url.origin) ? url.href : fallback
}
