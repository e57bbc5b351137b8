import { type NewToken, newToken, parseToken, type SessionId, sameText, sha256 } from '../kernel/ids.ts'
import type { Random } from '../kernel/random.ts'
import type { Keyring } from '../kernel/sealing.ts'
import type { SessionRow } from '../store/schema.ts'
import type { ReadDb } from '../store/store.ts'

/** A refresh token that somebody brought, with its session. */
export interface HeldToken {
  readonly session: SessionRow
  readonly secret: string
  /** What is stored of it; null when it was spent so long ago that clean-up took its row. */
  readonly row: { readonly id: string; readonly spentAt: number | null; readonly sealed: string | null } | null
}

const randomLength = 32

/**
 * A new refresh token of a session: `session.secret`, whose secret is 192 random bits and a mark by which this server knows it again when its row is gone.
 * So spent tokens need no rows for the life of their session, and one that comes back late is still seen as a second use.
 */
export function newRefreshToken(from: { random: Random; keyring: Keyring }, session: SessionId): NewToken {
  const { id, secret: drawn } = newToken(from.random, session)
  const random = drawn.slice(0, randomLength)
  const secret = `${random}${markOf(from.keyring, id, random)}`
  return { id, secret, text: `${id}.${secret}`, hash: sha256(secret) }
}

/** The token with this text, if this server made it and its session is stored. */
export async function findRefreshToken(db: ReadDb, keyring: Keyring, text: string): Promise<HeldToken | undefined> {
  const parts = parseToken(text)
  if (!parts) return undefined

  const { id, secret } = parts
  const row = await db
    .selectFrom('refresh_tokens')
    .select(['id', 'session_id', 'spent_at', 'successor_sealed'])
    .where('secret_hash', '=', sha256(secret))
    .where((eb) => eb.or([eb('session_id', '=', id as SessionId), eb('id', '=', id)])) // tokens of the first schema are named by their rows
    .executeTakeFirst()
  if (!row && !isMarked(keyring, id, secret)) return undefined

  const session = await db
    .selectFrom('sessions')
    .selectAll()
    .where('id', '=', row?.session_id ?? (id as SessionId))
    .executeTakeFirst()
  const stored = row ? { id: row.id, spentAt: row.spent_at, sealed: row.successor_sealed } : null
  return session && { session, secret, row: stored }
}

function isMarked(keyring: Keyring, id: string, secret: string): boolean {
  return sameText(secret.slice(randomLength), markOf(keyring, id, secret.slice(0, randomLength)))
}

/** 66 bits: whoever forged one could only end the session. */
function markOf(keyring: Keyring, id: string, random: string): string {
  return keyring.mac('refresh', `${id}.${random}`).slice(0, 43 - randomLength)
}
