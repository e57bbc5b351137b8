import type { Clock, Instant } from '../kernel/clock.ts'
import { minute } from '../kernel/clock.ts'
import { invalidField } from '../kernel/errors.ts'
import { newToken, parseToken, sameText, sha256, type UserId } from '../kernel/ids.ts'
import type { ApiTokenPrincipal } from '../kernel/principal.ts'
import type { ApiTokenRow } from '../store/schema.ts'
import type { ReadDb, Store } from '../store/store.ts'
import type { Work } from '../store/unit-of-work.ts'
import { record } from './audit.ts'
import { readScopes, scopesOf } from './scopes.ts'
import { findUser, findWholeUser, type User } from './users.ts'

/** A token that a user created for a program, as the user sees it; never its secret. */
export interface ApiToken {
  readonly id: string
  readonly name: string
  readonly scopes: readonly string[]
  readonly createdAt: Instant
  readonly expiresAt: Instant
  /** Accurate to a minute; null if never used. */
  readonly lastUsedAt: Instant | null
}

/** A live API token with its active user. */
export interface LiveApiToken {
  readonly kind: 'api_token'
  readonly principal: ApiTokenPrincipal
  readonly token: ApiToken
  readonly user: User
}

/** Finds the API tokens of requests. Each check queries the database, so a revoked token is rejected immediately on every server. */
export interface ApiTokens {
  /** Returns the unexpired token with this text, if its user is active. */
  find(text: string): Promise<LiveApiToken | undefined>
  /** Records a use, to be stored later, outside the request, and at most once a minute. */
  touch(token: ApiToken): void
  unstoredUses(): readonly ApiTokenUse[]
  /** Marks these uses as stored. */
  storedUses(uses: readonly ApiTokenUse[]): void
}

export type ApiTokenUse = readonly [id: string, at: Instant]

/** The prefix that secret scanners look for. It is followed by 22 and 43 base64url characters separated by a dot. */
export const apiTokenPrefix = 'gatelodge_pat_'
/** The most tokens a user can have. */
export const mostApiTokens = 50

export function createApiTokens({ store, clock }: { store: Store; clock: Clock }): ApiTokens {
  const uses = new Map<string, Instant>()
  return {
    async find(text) {
      const row = await findApiToken(store.db, text)
      if (!row || row.expires_at <= clock.now()) return undefined

      const user = await findUser(store.db, row.user_id)
      if (user?.is_active !== 1) return undefined
      const whole = await findWholeUser(store.db, user)
      return whole && toLiveApiToken(row, whole)
    },
    touch({ id, lastUsedAt }) {
      const now = clock.now()
      const lastUse = uses.get(id) ?? lastUsedAt ?? 0
      if (now - lastUse >= minute) uses.set(id, now)
    },
    unstoredUses: () => [...uses],
    storedUses(stored) {
      for (const [id, at] of stored) if (uses.get(id) === at) uses.delete(id)
    },
  }
}

/**
 * Creates a token and returns its text, which is shown once: only the SHA-256 of its secret is stored.
 * @throws input_invalid for an invalid name or scope, or too many tokens
 */
export async function insertApiToken(
  work: Work,
  userId: UserId,
  input: { name: string; scopes: readonly string[]; expiresAt: Instant },
): Promise<{ token: ApiToken; text: string }> {
  const { count } = await work.db
    .selectFrom('api_tokens')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('user_id', '=', userId)
    .where('expires_at', '>', work.now)
    .executeTakeFirstOrThrow()
  if (Number(count) >= mostApiTokens)
    throw invalidField('name', 'too_many', `Revoke a token first: at most ${mostApiTokens} are allowed`)

  const { id, text, hash } = newToken(work.random)
  const row: ApiTokenRow = {
    id,
    user_id: userId,
    name: input.name,
    secret_hash: hash,
    scopes: readScopes('scopes', input.scopes).join(' '),
    created_at: work.now,
    expires_at: input.expiresAt,
    last_used_at: null,
  }
  await work.db.insertInto('api_tokens').values(row).execute()
  return { token: toApiToken(row), text: apiTokenPrefix + text }
}

/** Returns a user's live tokens, newest first. */
export async function findApiTokensOf(db: ReadDb, userId: UserId, now: Instant): Promise<ApiToken[]> {
  const rows = await db
    .selectFrom('api_tokens')
    .selectAll()
    .where('user_id', '=', userId)
    .where('expires_at', '>', now)
    .orderBy('created_at', 'desc')
    .orderBy('id')
    .execute()
  return rows.map(toApiToken)
}

/** Deletes one token of a user. Returns false if there is none. */
export async function removeApiToken(work: Work, userId: UserId, id: string): Promise<boolean> {
  const { numDeletedRows } = await work.db
    .deleteFrom('api_tokens')
    .where('id', '=', id)
    .where('user_id', '=', userId)
    .executeTakeFirst()
  return numDeletedRows > 0n
}

/** Revokes a user's tokens, or only those created from `since` on: an owner who recovers an account must not be left with tokens that a thief created. */
export async function revokeApiTokens(work: Work, userId: UserId, since: Instant = 0): Promise<void> {
  const { numDeletedRows } = await work.db
    .deleteFrom('api_tokens')
    .where('user_id', '=', userId)
    .where('created_at', '>=', since)
    .executeTakeFirst()
  if (numDeletedRows > 0n) await record(work, 'api_token.all_revoked', userId, { count: Number(numDeletedRows) })
}

/** Stores last uses of tokens where they are later than the stored ones. */
export async function storeApiTokenUses(work: Work, uses: readonly ApiTokenUse[]): Promise<void> {
  for (const [id, at] of uses) {
    await work.db
      .updateTable('api_tokens')
      .set({ last_used_at: at })
      .where('id', '=', id)
      .where((eb) => eb.or([eb('last_used_at', 'is', null), eb('last_used_at', '<', at)]))
      .execute()
  }
}

/** Returns the stored token of a text, whether expired or not. */
export async function findApiToken(db: ReadDb, text: string): Promise<ApiTokenRow | undefined> {
  const parts = text.startsWith(apiTokenPrefix) ? parseToken(text.slice(apiTokenPrefix.length)) : undefined
  if (!parts) return undefined

  const row = await db.selectFrom('api_tokens').selectAll().where('id', '=', parts.id).executeTakeFirst()
  return row && sameText(row.secret_hash, sha256(parts.secret)) ? row : undefined
}

function toApiToken(row: ApiTokenRow): ApiToken {
  return {
    id: row.id,
    name: row.name,
    scopes: scopesOf(row.scopes),
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    lastUsedAt: row.last_used_at,
  }
}

function toLiveApiToken(row: ApiTokenRow, user: User): LiveApiToken {
  const token = toApiToken(row)
  return {
    kind: 'api_token',
    principal: { kind: 'api_token', userId: user.id, tokenId: token.id, scopes: token.scopes },
    token,
    user,
  }
}
