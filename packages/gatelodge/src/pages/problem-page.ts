import type { FailedRequest, ProblemPage } from '../http/route.ts'
import { second } from '../kernel/clock.ts'
import { durationInWords } from '../kernel/duration.ts'
import type { AuthError } from '../kernel/errors.ts'
import { localeOf } from '../kernel/languages.ts'
import { notice } from './notice.ts'
import { languageOfReader, pageAnswer, redirectAnswer } from './page-context.ts'
import { whyRefused } from './why-refused.ts'
import { pageWords } from './words/index.ts'

/** Renders the page for a failure. A user who must sign in, or prove it again, is sent there and back. The texts are our own, never taken from the request. */
export const problemPage: ProblemPage = (deps, failed, error, status) => {
  if (error.code === 'not_authenticated') {
    return redirectAnswer(deps, failed, `/login?${new URLSearchParams({ next: failed.path })}`)
  }
  if (error.code === 'reauthentication_required') {
    return redirectAnswer(deps, failed, `/account/reauthenticate?${new URLSearchParams({ next: failed.path })}`)
  }

  const { title, text, way, href } = wordsFor(failed, error)
  return pageAnswer(deps, failed, () => notice({ title, text, ways: [[way, href]] }), status)
}

function wordsFor(
  failed: FailedRequest,
  error: AuthError,
): { readonly title: string; readonly text: string; readonly way: string; readonly href: string } {
  const { path } = failed
  const language = languageOfReader(failed)
  const words = pageWords[language].problems
  switch (error.code) {
    case 'not_found':
      return { ...words.not_found, href: '/' }
    case 'cross_site':
      return { ...words.cross_site, text: whyRefused(failed), href: '/' }
    case 'rate_limited': {
      const wait = durationInWords((error.retryAfter ?? 1) * second, localeOf(language))
      return { ...words.rate_limited, text: words.rate_limited.text(wait), href: path }
    }
    case 'overloaded':
    case 'database_busy':
    case 'service_unavailable':
      return { ...words.unavailable, href: path }
    default:
      return { ...words.other, href: '/' }
  }
}
