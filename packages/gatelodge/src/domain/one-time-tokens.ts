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

/** Whose token it is: an account's, or a pending sign-up's. */
export type TokenOwner = { readonly userId: UserId } | { readonly signupId: string }

/** What a new token is for. */
export interface NewOneTimeToken {
  readonly purpose: TokenPurpose
  readonly owner: TokenOwner
  /** Where its link is mailed. */
  readonly email: string
  /** ms */
  readonly ttl: number
  /** Ends the token with this session. */
  readonly sessionId?: SessionId
  /** What was added to the account from this instant on is taken back by the token. */
  readonly since?: Instant
}

/**
 * Creates a token `id.secret` that works once within its life; earlier ones of the same purpose and owner are void from now on. Not so for those that give
 * an account back: a thief would close the owner's way by asking for another one.
 */
export async function issueToken(work: Work, wish: NewOneTimeToken): Promise<string> {
  const { purpose, owner, email, ttl, sessionId, since } = wish
  if ('userId' in owner) await lockUser(work, owner.userId) // above the tokens that are voided, and the one that refers to it
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

/** The live token of one of these purposes, left unspent, so that garbage costs no hash. @throws token_invalid */
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

/** Spends a token of this purpose by one conditional update: of many parallel uses one succeeds. @throws token_invalid */
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
 * Locks what stands above a token in the order of locks: the sign-ups of its address, its account and its session. Whoever voids tokens holds these and waits
 * for the token, so the other way round is a deadlock on PostgreSQL.
 */
async function lockAbove(work: Work, token: Pick<OneTimeTokenRow, 'email' | 'user_id' | 'session_id'>): Promise<void> {
  await lockSignupsOf(work, token.email)
  if (token.user_id !== null) await lockUser(work, token.user_id)
  if (token.session_id !== null) await lockSession(work, token.session_id)
}

/** Voids the owner's unspent tokens of these purposes. */
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

/** Voids the account's tokens of a purpose that were mailed to these addresses, spent or not. */
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
