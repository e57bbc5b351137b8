import type { Config } from '../config.ts'

/** A page of ours with its query, for mails: below the front end when one is set, else below the public URL. The only maker of links. */
export function linkTo(
  config: Pick<Config, 'publicUrl' | 'frontendUrl'>,
  path: `/${string}`,
  query: Readonly<Record<string, string>> = {},
): string {
  const base = (config.frontendUrl ?? config.publicUrl).replace(/\/$/, '')
  const search = new URLSearchParams(query).toString()
  return search === '' ? `${base}${path}` : `${base}${path}?${search}`
}
