import type { Instant } from '../kernel/clock.ts'
import type { TokenPurpose } from '../store/schema.ts'
import type { Work } from '../store/unit-of-work.ts'
import type { Deps } from './deps.ts'
import { linkTo } from './links.ts'
import { issueToken, type TokenOwner } from './one-time-tokens.ts'

/** A link that works once, and its life as its mail tells it. */
export interface MailedLink {
  readonly link: string
  /** ms */
  readonly ttl: number
  readonly expiresAt: Instant
}

/** Makes a token of an owner and the link that carries it to `email`; `ttl` is in ms. */
export async function issueLink(
  deps: Deps,
  work: Work,
  path: `/${string}`,
  token: { purpose: TokenPurpose; owner: TokenOwner; email: string; ttl: number },
): Promise<MailedLink> {
  const { purpose, owner, email, ttl } = token
  const text = await issueToken(work, purpose, owner, email, ttl)
  return { link: linkTo(deps.config, path, { token: text }), ttl, expiresAt: work.now + ttl }
}
