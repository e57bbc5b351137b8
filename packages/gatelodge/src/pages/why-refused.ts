import type { FailedRequest } from '../http/route.ts'
import { languageOfReader } from './page-context.ts'
import { pageWords } from './words/index.ts'

/** Explains why a form was rejected as `cross_site`, and what the user can do, in the reader's language. */
export function whyRefused(failed: FailedRequest): string {
  const words = pageWords[languageOfReader(failed)].problems.cross_site
  // A request without proof of its origin is rejected before authentication. So if the user is known, the form is of another session or older than this one.
  if (failed.me) return words.otherSession(failed.me.user.email)
  if (failed.form === undefined) return words.foreign
  const cookie = failed.header('cookie')
  const sentCookies = [failed.cookies.form, failed.cookies.session].some((each) => each.read(cookie) !== undefined)
  return sentCookies ? words.outdated : words.noCookies
}
