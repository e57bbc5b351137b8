/** Only to be compared: no request goes there. */
const here = 'http://here.invalid'

/**
 * The path to go on to after the sign-in: one of this origin, else the home page. Parsers differ about `\\`, control characters and dots, so what
 * counts is what the parser of browsers makes of it; a path that begins with two slashes would name another host.
 */
export function cleanNext(next: string | null): string {
  const url = URL.parse(next ?? '/', here)
  if (url?.origin !== here || !next?.startsWith('/') || url.pathname.startsWith('//')) return '/'
  return url.pathname + url.search + url.hash
}
