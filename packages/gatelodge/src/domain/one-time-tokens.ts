import type { ExpressionBuilder } from 'kysely'
import type { Instant } from '../kernel/clock.ts'
import { AuthError } from '../kernel/errors.ts'
import { newToken, parseToken, type SessionId, sameText, sha256, type UserId } from '../kernel/ids.ts'
import type { OneTimeTokenRow, Schema, TokenPurpose } from '../store/schema.ts'
import type { ReadDb } from '../store/store.ts'
import type { Work } from '../store/unit-of-work.ts'
import type { Deps } from './deps.ts'
import { lockSignupsOf } from './pending-signups.ts'
import { lockSession } from './sessions.ts'
import { lockUser } from './user-rows.ts'

/** The owner of a token: an account or a pending sign-up. */
export type TokenOwner = { readonly userId: UserId } | { readonly signupId: string }

/** A token to create. */
export interface NewOneTimeToken {
  readonly purpose: TokenPurpose
  readonly owner: TokenOwner
  /** The address that its link is emailed to. */
  readonly email: string
  /** In ms. */
  readonly ttl: number
  /** The token becomes invalid when this session ends. */
  readonly sessionId?: SessionId
  /** Using the token undoes what was added to the account from this instant on. */
  readonly since?: Instant
}

/**
 * Creates a token `id.secret` that works once within its lifetime. Earlier tokens with the same purpose and owner become invalid, except those that recover an
 * account: a thief could otherwise invalidate the owner's by requesting another one.
 */
export async function issueToken(work: Work, wish: NewOneTimeToken): Promise<string> {
  const { purpose, owner, email, ttl, sessionId, since } = wish
  if ('userId' in owner) await lockUser(work, owner.userId) // precedes, in the lock order, the tokens that are invalidated and the one that refers to it
  if (!livesBesideOthers.has(purpose)) await invalidateTokens(work, owner, [purpose])

  const token = newToken(work.random)
  await work.db
    .insertInto('one_time_tokens')
    .values({
      id: token.id,
      purpose,
      secret_hash: token.hash,
      user_id: 'userId' in owner ? owner.userId : null,
      signup_id: 'signupId' in owner ? owner.signupId : null,
      email,
      created_at: work.now,
      expires_at: work.now + ttl,
      spent_at: null,
      session_id: sessionId ?? null,
      since: since ?? null,
    })
    .execute()
  return token.text
}

const livesBesideOthers: ReadonlySet<TokenPurpose> = new Set(['email_change_undo', 'security_undo', 'recovery'])

/** Returns the live token for one of these purposes without consuming it, so that an invalid token costs no hash. @throws token_invalid */
export async function findValidToken(
  deps: Deps,
  purposes: readonly TokenPurpose[],
  text: string,
): Promise<OneTimeTokenRow> {
  const row = await findToken(deps.store.db, text)
  if (!row || !purposes.includes(row.purpose) || row.spent_at !== null || row.expires_at <= deps.clock.now()) {
    throw new AuthError('token_invalid')
  }
  return row
}

/** Consumes a token of this purpose with one conditional update: of many concurrent uses one succeeds. @throws token_invalid */
export async function consumeToken(work: Work, purpose: TokenPurpose, text: string): Promise<OneTimeTokenRow> {
  const parts = parseToken(text)
  if (!parts) throw new AuthError('token_invalid')
  const isGood = (eb: ExpressionBuilder<Schema, 'one_time_tokens'>) =>
    eb.and([
      eb('id', '=', parts.id),
      eb('secret_hash', '=', sha256(parts.secret)),
      eb('purpose', '=', purpose),
      eb('spent_at', 'is', null),
      eb('expires_at', '>', work.now),
    ])
  const token = await work.db
    .selectFrom('one_time_tokens')
    .select(['email', 'user_id', 'session_id'])
    .where(isGood)
    .executeTakeFirst()
  if (!token) throw new AuthError('token_invalid') // before anything is locked for it
  await lockAbove(work, token)

  const spent = await work.db
    .updateTable('one_time_tokens')
    .set({ spent_at: work.now })
    .where(isGood)
    .returningAll()
    .executeTakeFirst()
  if (!spent) throw new AuthError('token_invalid')
  return spent
}

/**
 * Locks what precedes a token in the lock order: the sign-ups of its address, its account and its session. Code that invalidates tokens holds these locks and
 * waits for the token, so the opposite order would be a deadlock on PostgreSQL.
 */
async function lockAbove(work: Work, token: Pick<OneTimeTokenRow, 'email' | 'user_id' | 'session_id'>): Promise<void> {
  await lockSignupsOf(work, token.email)
  if (token.user_id !== null) await lockUser(work, token.user_id)
  if (token.session_id !== null) await lockSession(work, token.session_id)
}

/** Invalidates the owner's unconsumed tokens of these purposes. */
export async function invalidateTokens(
  work: Work,
  owner: TokenOwner,
  purposes: readonly TokenPurpose[],
): Promise<void> {
  const tokens = work.db.deleteFrom('one_time_tokens').where('purpose', 'in', purposes).where('spent_at', 'is', null)
  await ('userId' in owner
    ? tokens.where('user_id', '=', owner.userId)
    : tokens.where('signup_id', '=', owner.signupId)
  ).execute()
}

/** Invalidates the account's tokens of a purpose that were emailed to these addresses, consumed or not. */
export async function invalidateTokensTo(
  work: Work,
  userId: UserId,
  purpose: TokenPurpose,
  emails: readonly string[],
): Promise<void> {
  await work.db
    .deleteFrom('one_time_tokens')
    .where('user_id', '=', userId)
    .where('purpose', '=', purpose)
    .where('email', 'in', emails)
    .execute()
}

async function findToken(db: ReadDb, text: string): Promise<OneTimeTokenRow | undefined> {
  const parts = parseToken(text)
  if (!parts) return undefined

  const row = await db.selectFrom('one_time_tokens').selectAll().where('id', '=', parts.id).executeTakeFirst()
  return row && sameText(row.secret_hash, sha256(parts.secret)) ? row : undefined
}
