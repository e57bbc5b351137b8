import type { FailedRequest } from '../http/route.ts'
import { languageOfReader } from './page-context.ts'
import { pageWords } from './words/index.ts'

/** Why a form was refused as `cross_site`, and what its sender can do, in the reader's language. */
export function whyRefused(failed: FailedRequest): string {
  const words = pageWords[languageOfReader(failed)].problems.cross_site
  // What proved no origin was not looked at any further, so whoever is known sent a form of another session or of the time before it.
  if (failed.me) return words.otherSession(failed.me.user.email)
  if (failed.form === undefined) return words.foreign
  const cookie = failed.header('cookie')
  const sentCookies = [failed.cookies.form, failed.cookies.session].some((each) => each.read(cookie) !== undefined)
  return sentCookies ? words.outdated : words.noCookies
}
