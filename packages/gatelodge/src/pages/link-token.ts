import type { Deps } from '../domain/deps.ts'
import type { Answer } from '../http/route.ts'
import type { PageContext } from './page-context.ts'

const cookieLife = 30 * 60

/**
 * Returns the token of an emailed link. A browser is redirected to the same page without it, so that it appears in no history and no screenshot; there it is
 * read from a sealed cookie that only this page receives. Other clients that fetch the link get the page immediately.
 */
export function readLinkToken(
  deps: Deps,
  context: PageContext,
  given: string | undefined,
): { readonly token: string | undefined } | { readonly answer: Answer } {
  if (given !== undefined && context.header('sec-fetch-dest') === 'document') {
    const sealed = deps.keyring.seal('link', given.slice(0, 512), context.path)
    return { answer: { status: 303, location: context.path, cookies: [context.cookies.link.set(sealed, cookieLife)] } }
  }
  const cookie = context.cookies.link.read(context.header('cookie'))
  return { token: given ?? (cookie === undefined ? undefined : deps.keyring.open('link', cookie, context.path)) }
}
