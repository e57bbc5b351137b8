import type { Instant } from '../kernel/clock.ts'
import type { Work } from '../store/unit-of-work.ts'
import type { Deps } from './deps.ts'
import { linkTo } from './links.ts'
import { issueToken, type NewOneTimeToken } from './one-time-tokens.ts'

/** A link that works once, and its lifetime as its email states it. */
export interface MailedLink {
  readonly link: string
  /** In ms. */
  readonly ttl: number
  readonly expiresAt: Instant
}

/** Creates a token and the link that carries it to its address. */
export async function issueLink(
  deps: Deps,
  work: Work,
  path: `/${string}`,
  token: NewOneTimeToken,
): Promise<MailedLink> {
  const text = await issueToken(work, token)
  return { link: linkTo(deps.config, path, { token: text }), ttl: token.ttl, expiresAt: work.now + token.ttl }
}
