/** Only used for comparison: no request goes there. */
const here = 'http://here.invalid'

/**
 * Returns the path to open after the sign-in if it belongs to this origin, otherwise the home page. Parsers differ in how they treat `\\`, control characters
 * and dots, so the result of a browser's parser counts; a path that begins with two slashes would name another host.
 */
export function cleanNext(next: string | null): string {
  const url = URL.parse(next ?? '/', here)
  if (url?.origin !== here || !next?.startsWith('/') || url.pathname.startsWith('//')) return '/'
  return url.pathname + url.search + url.hash
}
