import type { Config } from '../config.ts'

/** Where to go after an errand: `next` when it leads to a page of ours or of a configured origin, else `fallback`. The only reader of `next`. */
export function safeRedirect(
  config: Pick<Config, 'publicUrl' | 'frontendUrl' | 'allowedOrigins'>,
  next: string | undefined,
  fallback: string,
): string {
  if (next === undefined || next.length > 2048 || /[\p{Cc}\p{Zl}\p{Zp}\\\s]/u.test(next)) return fallback

  const url = URL.canParse(next, config.publicUrl) ? new URL(next, config.publicUrl) : undefined
  if (url?.username !== '' || url.password !== '') return fallback
  // The URL parser has the last word on what a browser would make of it; two slashes would name another host.
  if (url.pathname.startsWith('//')) return fallback
  if (url.origin === config.publicUrl) return `${url.pathname}${url.search}${url.hash}`

  const origins = [...config.allowedOrigins, ...(config.frontendUrl ? [new URL(config.frontendUrl).origin] : [])]
  return origins.includes(url.origin) ? url.href : fallback
}
