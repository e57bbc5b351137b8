import { type NewToken, newId, newToken, parseToken, type SessionId, sameText, sha256 } from '../kernel/ids.ts'
import type { Random } from '../kernel/random.ts'
import { deriveKey, type Keyring, openWith, sealWith } from '../kernel/sealing.ts'
import type { SessionRow } from '../store/schema.ts'
import type { ReadDb } from '../store/store.ts'
import type { Work } from '../store/unit-of-work.ts'

/** A refresh token that a client presented, with its session. */
export interface HeldToken {
  readonly session: SessionRow
  readonly secret: string
  /** The stored row; null if the token was used so long ago that clean-up has deleted it. */
  readonly row: { readonly id: string; readonly spentAt: number | null; readonly sealed: string | null } | null
}

/** What a used token leads to during the grace window. */
export interface Successor {
  readonly accessToken: string
  /** Epoch milliseconds. */
  readonly accessTokenEnds: number
  readonly refreshToken: NewToken
}

/** A decrypted successor, with its refresh token as text. */
export type OpenedSuccessor = Omit<Successor, 'refreshToken'> & { readonly refreshToken: string }

const randomLength = 32

/**
 * Creates a refresh token of a session: `session.secret`. The secret consists of 192 random bits and a mark by which this server recognises it even after its
 * row is gone. So used tokens need no rows for the life of their session, and one that comes back late is still detected as reuse.
 */
export function newRefreshToken(from: { random: Random; keyring: Keyring }, session: SessionId): NewToken {
  const { id, secret: drawn } = newToken(from.random, session)
  const random = drawn.slice(0, randomLength)
  const secret = `${random}${markOf(from.keyring, id, random)}`
  return { id, secret, text: `${id}.${secret}`, hash: sha256(secret) }
}

/** Returns the token with this text, if this server created it and its session is stored. */
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

/** Stores the first refresh token of a session and returns its text. */
export async function insertRefreshToken(work: Work, session: SessionId): Promise<string> {
  const token = newRefreshToken(work, session)
  await insert(work, token)
  return token.text
}

/** Marks an unused token as used and stores its one successor. The session must be locked: see `lockSession`. */
export async function rotateRefreshToken(work: Work, held: HeldToken, rowId: string, next: Successor): Promise<void> {
  await work.db
    .updateTable('refresh_tokens')
    .set({ spent_at: work.now, successor_sealed: sealSuccessor(work, held, rowId, next) })
    .where('id', '=', rowId)
    .where('spent_at', 'is', null)
    .returning('id')
    .executeTakeFirstOrThrow() // under the session's lock no other request can have used it since the check
  await insert(work, next.refreshToken)
}

/** Returns the successor of a used token, if it is still stored. */
export function openSuccessor({ secret, row }: HeldToken): OpenedSuccessor | undefined {
  if (!row?.sealed) return undefined

  const text = openWith(deriveKey(secret, 'refresh-successor'), row.sealed, row.id)
  return text === undefined ? undefined : (JSON.parse(text) as OpenedSuccessor)
}

async function insert(work: Work, token: NewToken): Promise<void> {
  await work.db
    .insertInto('refresh_tokens')
    .values({
      id: newId(work.random),
      session_id: token.id as SessionId,
      secret_hash: token.hash,
      created_at: work.now,
      spent_at: null,
      successor_sealed: null,
    })
    .execute()
}

// Only the used secret can decrypt its successor: the database alone reveals nothing.
function sealSuccessor(work: Work, { secret }: HeldToken, rowId: string, next: Successor): string {
  const opened: OpenedSuccessor = { ...next, refreshToken: next.refreshToken.text }
  return sealWith(deriveKey(secret, 'refresh-successor'), work.random, JSON.stringify(opened), rowId)
}

function isMarked(keyring: Keyring, id: string, secret: string): boolean {
  return sameText(secret.slice(randomLength), markOf(keyring, id, secret.slice(0, randomLength)))
}

/** Computes the mark: 66 bits, which suffice because a forger could only end the session. */
function markOf(keyring: Keyring, id: string, random: string): string {
  return keyring.mac('refresh', `${id}.${random}`).slice(0, 43 - randomLength)
}
