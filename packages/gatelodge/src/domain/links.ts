import type { Config } from '../config.ts'

/**
 * Returns the URL of a page with its query, for emails: below the front end if one is configured, otherwise below the public URL. The only code that builds
 * links.
 */
export function linkTo(
  config: Pick<Config, 'publicUrl' | 'frontendUrl'>,
  path: `/${string}`,
  query: Readonly<Record<string, string>> = {},
): string {
  const base = (config.frontendUrl ?? config.publicUrl).replace(/\/$/, '')
  const search = new URLSearchParams(query).toString()
  return search === '' ? `${base}${path}` : `${base}${path}?${search}`
}
