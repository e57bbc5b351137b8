import { z } from 'zod'
import type { SignInOutcome, StepRequired } from '../domain/authentication.ts'
import type { Deps } from '../domain/deps.ts'
import type { Answer } from '../http/route.ts'
import { signInAnswer } from '../http/sign-in-answer.ts'
import { type PageContext, redirectAnswer } from './page-context.ts'

/** The page of each step that a sign-in may still need. */
const stepPages: Readonly<Record<StepRequired['status'], `/${string}`>> = {
  password_change_required: '/login/new-password',
}

/** What the cookie of a step holds: the ticket, whose account it is for, and where the sign-in leads. */
const pageTicketSchema = z.object({ ticket: z.string(), account: z.string(), next: z.string() })

export type PageTicket = z.infer<typeof pageTicketSchema>

/** Where a sign-in on a page leads. */
export interface SignInTarget {
  readonly next: string
  /** Shown on the next page, once there is a session. */
  readonly message?: string | undefined
  readonly cookies?: readonly string[]
}

/**
 * Redirects after a sign-in on a page: with a session to `next`, else to the page of the step that is missing. The ticket goes there in a sealed cookie, so
 * that it is bound to the browser: neither can it be used with the API, nor can a ticket of the API be planted in a browser.
 */
export function signInRedirect(
  deps: Deps,
  context: PageContext,
  outcome: SignInOutcome,
  { next, message, cookies = [] }: SignInTarget,
): Answer {
  const jar = context.cookies
  if (outcome.status === 'signed_in') {
    const { cookies: set = [] } = signInAnswer(jar, outcome)
    return redirectAnswer(deps, context, next, message, [...set, ...cookies])
  }

  const page = stepPages[outcome.status]
  const content: PageTicket = { ticket: outcome.ticket, account: outcome.account, next }
  const sealed = deps.keyring.seal('ticket', JSON.stringify(content), page)
  return redirectAnswer(deps, context, page, undefined, [jar.ticket.set(sealed, outcome.expiresIn), ...cookies])
}

/** Returns the ticket that `signInRedirect` gave to this browser for this page. */
export function readPageTicket(deps: Deps, context: PageContext): PageTicket | undefined {
  const cookie = context.cookies.ticket.read(context.header('cookie'))
  const text = cookie === undefined ? undefined : deps.keyring.open('ticket', cookie, context.path)
  return text === undefined ? undefined : pageTicketSchema.parse(JSON.parse(text))
}
