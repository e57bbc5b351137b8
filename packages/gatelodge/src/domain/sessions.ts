import { sql } from 'kysely'
import type { Instant } from '../kernel/clock.ts'
import { AuthError } from '../kernel/errors.ts'
import { type NewToken, newToken, type SessionId, type UserId } from '../kernel/ids.ts'
import type { Assurance } from '../kernel/principal.ts'
import type { SessionRow, UserRow } from '../store/schema.ts'
import type { ReadDb } from '../store/store.ts'
import type { Work } from '../store/unit-of-work.ts'
import { describeDevice } from './user-agents.ts'
import { lockUser } from './user-rows.ts'

/** A proof by one factor: the RFC 8176 names of its methods, and the assurance that it gives. */
export interface Proof {
  readonly methods: readonly string[]
  readonly assurance: Assurance
}

/** A session as its user sees it; never its secret. */
export interface Session {
  readonly id: SessionId
  readonly createdAt: Instant
  readonly lastSeenAt: Instant
  /** The earlier of the idle and the absolute expiry. */
  readonly expiresAt: Instant
  readonly authenticatedAt: Instant
  readonly ip: string | null
  readonly userAgent: string | null
  readonly device: string
  readonly methods: readonly string[]
  readonly assurance: Assurance
}

export interface SessionLife {
  /** How long a session may be unused, in ms. */
  readonly sessionIdle: number
  /** How long a session lasts regardless of use, in ms. */
  readonly sessionAbsolute: number
}

/** When a session was last used. */
export type SessionUse = readonly [session: SessionId, at: Instant]

export interface SessionOptions {
  readonly kind: 'cookie' | 'token'
  /** Whether the cookie outlives the browser. */
  readonly remember: boolean
}

/** The caller, and the session the request uses. */
export interface Asker {
  readonly user: { readonly id: UserId }
  readonly session: { readonly id: SessionId }
}

const userAgentLength = 400
/** The most sessions of one account. Recovery ends all of them in one statement, which must finish in time. */
const mostSessions = 1_000

/** Stores a new session of a locked account with a new id and returns its secret token. If there are too many, the least recently used ones end. */
export async function insertSession(
  work: Work,
  life: SessionLife,
  userId: UserId,
  proof: Proof,
  wish: SessionOptions,
): Promise<{ row: SessionRow; token: NewToken }> {
  const token = newToken(work.random)
  const row: SessionRow = {
    id: token.id as SessionId,
    user_id: userId,
    kind: wish.kind,
    secret_hash: wish.kind === 'cookie' ? token.hash : null,
    created_at: work.now,
    last_seen_at: work.now,
    expires_at: work.now + life.sessionAbsolute,
    authenticated_at: work.now,
    methods: JSON.stringify(proof.methods),
    assurance: proof.assurance,
    remember: wish.remember ? 1 : 0,
    ip: work.actor.ip,
    user_agent: work.actor.userAgent?.slice(0, userAgentLength) ?? null,
  }
  await endSurplus(work, userId)
  await work.db.insertInto('sessions').values(row).execute()
  return { row, token }
}

/** Makes room for one more session. */
async function endSurplus(work: Work, userId: UserId): Promise<void> {
  const surplus = await work.db
    .selectFrom('sessions')
    .select('id')
    .where('user_id', '=', userId)
    .orderBy('last_seen_at', 'desc')
    .orderBy('id')
    .offset(mostSessions - 1)
    .limit(mostSessions)
    .execute()
  if (surplus.length === 0) return

  const ids = surplus.map(({ id }) => id)
  await work.db.deleteFrom('sessions').where('id', 'in', ids).execute()
  work.changed([userId])
}

/**
 * Returns the current row of a session, locked until the unit of work ends, as lockUser does for an account. When both are needed, the account is locked first.
 */
export async function lockSession(work: Work, id: SessionId): Promise<SessionRow | undefined> {
  work.changed([])
  return work.db
    .updateTable('sessions')
    .set((eb) => ({ kind: eb.ref('kind') }))
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirst()
}

/**
 * Locks the caller's account and session until the unit of work ends. Both may have changed since the request arrived: a reset, sign-out or deletion that came
 * first wins.
 * @throws token_invalid
 */
export async function lockCaller(work: Work, me: Asker): Promise<UserRow> {
  const user = await lockUser(work, me.user.id)
  const session = await lockSession(work, me.session.id)
  if (user?.is_active !== 1 || !session) throw new AuthError('token_invalid')
  return user
}

/** Ends one session of a user with its refresh tokens. Returns false if there is none. */
export async function endSession(work: Work, userId: UserId, id: SessionId): Promise<boolean> {
  const ended = await work.db
    .deleteFrom('sessions')
    .where('id', '=', id)
    .where('user_id', '=', userId)
    .returning('id')
    .executeTakeFirst()
  work.changed([userId])
  return ended !== undefined
}

/** Ends every session of a user except `keep`, and returns how many. The account must be locked; otherwise a session replaced in the meantime survives. */
export async function endSessions(work: Work, userId: UserId, keep: SessionId | null = null): Promise<number> {
  const ended = await work.db
    .deleteFrom('sessions')
    .where('user_id', '=', userId)
    .$if(keep !== null, (query) => query.where('id', '!=', keep as SessionId))
    .returning('id')
    .execute()
  work.changed([userId])
  return ended.length
}

/** Stores that a session is used now. */
export async function noteSessionUse(work: Work, id: SessionId): Promise<void> {
  work.changed([]) // memory reads a session again before it considers it idle
  await work.db.updateTable('sessions').set({ last_seen_at: work.now }).where('id', '=', id).execute()
}

/** Stores the last uses of several sessions in one statement, where they are later than the stored ones. */
export async function storeSessionUses(work: Work, uses: readonly SessionUse[]): Promise<void> {
  const lastUse = sql<number>`case id ${sql.join(
    uses.map(([id, at]) => sql`when ${id} then cast(${at} as bigint)`),
    sql` `,
  )} end`
  work.changed([]) // memory already knows the use; other processes read again before they consider a session idle
  await work.db
    .updateTable('sessions')
    .set({ last_seen_at: lastUse })
    .where(
      'id',
      'in',
      uses.map(([id]) => id),
    )
    .where('last_seen_at', '<', lastUse)
    .execute()
}

/** Returns a user's live sessions, newest first. */
export async function findSessionsOf(
  db: ReadDb,
  life: SessionLife,
  user: UserRow['id'],
  now: Instant,
): Promise<Session[]> {
  const rows = await db
    .selectFrom('sessions')
    .selectAll()
    .where('user_id', '=', user)
    .orderBy('created_at', 'desc')
    .orderBy('id')
    .execute()
  return rows.filter((row) => isLive(row, life, now)).map((row) => toSession(row, life))
}

/** Returns whether a session is within its idle and absolute limits. */
export function isLive(row: Pick<SessionRow, 'expires_at' | 'last_seen_at'>, life: SessionLife, now: Instant): boolean {
  return now < Math.min(row.expires_at, row.last_seen_at + life.sessionIdle)
}

/** Converts a row to what its user sees. */
export function toSession(row: SessionRow, life: SessionLife): Session {
  return {
    id: row.id,
    createdAt: row.created_at,
    lastSeenAt: row.last_seen_at,
    expiresAt: Math.min(row.expires_at, row.last_seen_at + life.sessionIdle),
    authenticatedAt: row.authenticated_at,
    ip: row.ip,
    userAgent: row.user_agent,
    device: describeDevice(row.user_agent),
    methods: methodsOf(row.methods),
    assurance: row.assurance,
  }
}

/** Thousands of sessions are kept, proved in few ways: they share the lists. */
const methodLists = new Map<string, readonly string[]>()

function methodsOf(text: string): readonly string[] {
  const known = methodLists.get(text)
  if (known) return known

  const methods: string[] = JSON.parse(text)
  methodLists.set(text, methods)
  return methods
}
