import { createBoundedMap } from '../kernel/bounded-map.ts'
import type { Instant } from '../kernel/clock.ts'
import { minute } from '../kernel/clock.ts'
import type { SessionId, UserId } from '../kernel/ids.ts'
import type { SessionPrincipal } from '../kernel/principal.ts'
import type { SessionRow } from '../store/schema.ts'
import type { Invalidations, Store } from '../store/store.ts'
import { isLive, type Session, type SessionLife, type SessionUse, toSession } from './sessions.ts'
import { findUser, findWholeUser, type User } from './users.ts'

/** A session with its user, as the session check needs them. Replaced rather than changed, except for its last use. */
export interface LiveSession {
  readonly kind: 'session'
  readonly principal: SessionPrincipal
  readonly session: Session
  readonly user: User
  readonly secretHash: string | null
  readonly remember: boolean
  readonly absoluteEnd: Instant
  /** The last use known here. Written to the database at most once a minute, and more often only if sessions have a shorter idle timeout. */
  lastSeenAt: Instant
}

/** Finds live sessions by id, in memory as long as nothing has changed them. */
export interface SessionCache {
  /** Returns the live session of an active user, or undefined. Synchronous if it is in memory. Does not count as a use. */
  find(id: SessionId): LiveSession | undefined | Promise<LiveSession | undefined>
  /** Records a use, to be stored later, outside the request. */
  touch(live: LiveSession): void
  /** Returns recorded uses that are not stored yet. */
  unstoredTouches(): readonly SessionUse[]
  /** Marks these uses as stored. */
  storedTouches(touches: readonly SessionUse[]): void
  figures(): SessionCacheFigures
}

/** What the cache has done since the start, and its state. */
export interface SessionCacheFigures {
  readonly hits: number
  readonly misses: number
  readonly entries: number
  /** Whether answers may come from memory now, because commits of other processes are seen. */
  readonly trusted: boolean
}

/** How many sessions are in memory at most: about a kilobyte each. */
const sessionsKept = 20_000
/** How many recent changes are remembered per user. Beyond that, older ones count as changes of every user. */
const changesKept = 1_000

/**
 * Creates a cache that answers what the database would. Commits of this process name the users they change, as do notifications of other processes; any change
 * that the store cannot vouch for moves its version, which every `find` checks. See decision 14.
 */
export function createSessionCache(deps: {
  store: Store
  invalidations: Invalidations
  clock: { now(): Instant }
  life: SessionLife
  capacity?: number
}): SessionCache {
  const { store, invalidations, clock, life, capacity = sessionsKept } = deps
  const noteEvery = Math.min(minute, life.sessionIdle / 10) // an unrecorded use must not make a session idle
  const entries = createBoundedMap<SessionId, LiveSession>(capacity)
  /** A list, since most have one or two: a set of one costs five times as much. */
  const byUser = new Map<UserId, SessionId[]>()
  const touches = new Map<SessionId, Instant>()
  let version = store.foreignVersion()
  /** The numbers of announced changes: the last one of each user, and the last one that may have concerned any user. */
  const changedAt = new Map<UserId, number>()
  let anybodyChangedAt = 0
  let hits = 0
  let misses = 0

  invalidations.subscribe((users) => {
    const now = invalidations.generation
    if (users === 'all' || changedAt.size + users.length > changesKept) {
      anybodyChangedAt = now
      changedAt.clear()
    }
    if (users === 'all') return clear()
    for (const user of users) {
      changedAt.set(user, now)
      dropUser(user)
    }
  })

  function find(id: SessionId): LiveSession | undefined | Promise<LiveSession | undefined> {
    forgetAfterForeignCommit()

    const known = entries.get(id)
    if (known && isLive({ expires_at: known.absoluteEnd, last_seen_at: known.lastSeenAt }, life, clock.now())) {
      hits += 1
      return known
    }
    misses += 1
    if (known) drop(known) // another process may have used it since
    return load(id)
  }

  function forgetAfterForeignCommit(): void {
    const seen = store.foreignVersion() // if this throws, nothing is answered from memory
    if (seen !== version) clear()
    version = seen
  }

  async function load(id: SessionId): Promise<LiveSession | undefined> {
    const generation = invalidations.generation
    const seenVersion = version
    const live = await readLiveSession(store, life, id, clock.now(), touches.get(id))
    // The row read may be older than a change announced in the meantime: it answers this request and is not cached.
    if (live && !changedSince(live.user.id, generation) && version === seenVersion) keep(live)
    return live
  }

  function changedSince(user: UserId, generation: number): boolean {
    return Math.max(anybodyChangedAt, changedAt.get(user) ?? 0) > generation
  }

  function keep(live: LiveSession): void {
    const earlier = entries.get(live.session.id)
    if (earlier) live.lastSeenAt = Math.max(live.lastSeenAt, earlier.lastSeenAt) // two concurrent reads, one of them used
    const removed = entries.set(live.session.id, live)
    if (removed) forgetSibling(removed)

    const siblings = byUser.get(live.user.id)
    if (!siblings) byUser.set(live.user.id, [live.session.id])
    else if (!siblings.includes(live.session.id)) siblings.push(live.session.id)
  }

  function drop(live: LiveSession): void {
    entries.delete(live.session.id)
    forgetSibling(live)
  }

  function forgetSibling(live: LiveSession): void {
    const others = byUser.get(live.user.id)?.filter((id) => id !== live.session.id) ?? []
    if (others.length > 0) byUser.set(live.user.id, others)
    else byUser.delete(live.user.id)
  }

  function dropUser(user: UserId): void {
    for (const id of byUser.get(user) ?? []) entries.delete(id)
    byUser.delete(user)
  }

  function clear(): void {
    entries.clear()
    byUser.clear()
  }

  return {
    find,
    touch(live) {
      const now = clock.now()
      const { id } = live.session
      live.lastSeenAt = Math.max(live.lastSeenAt, now)
      if (now - live.session.lastSeenAt < noteEvery || now - (touches.get(id) ?? 0) < noteEvery) return

      touches.set(id, now)
      if (entries.get(id) === live) entries.set(id, usedAt(live, now, life))
    },
    unstoredTouches: () => [...touches],
    storedTouches(stored) {
      for (const [id, at] of stored) if (touches.get(id) === at) touches.delete(id)
    },
    figures: () => ({ hits, misses, entries: entries.size, trusted: store.seesForeignCommits() }),
  }
}

function usedAt(live: LiveSession, now: Instant, life: SessionLife): LiveSession {
  const expiresAt = Math.min(live.absoluteEnd, now + life.sessionIdle)
  return { ...live, session: { ...live.session, lastSeenAt: now, expiresAt } }
}

/** Reads a live session and its active user, bypassing the cache. `lastUse` is a recorded use that is not stored yet. */
export async function readLiveSession(
  store: Store,
  life: SessionLife,
  id: SessionId,
  now: Instant,
  lastUse = 0,
): Promise<LiveSession | undefined> {
  const stored = await store.db.selectFrom('sessions').selectAll().where('id', '=', id).executeTakeFirst()
  const row = stored && { ...stored, last_seen_at: Math.max(stored.last_seen_at, lastUse) }
  if (!row || !isLive(row, life, now)) return undefined

  const user = await findUser(store.db, row.user_id)
  if (user?.is_active !== 1) return undefined
  const whole = await findWholeUser(store.db, user)
  return whole && toLiveSession(row, whole, life)
}

/** Returns whether a session is live, is one that access tokens refer to, and belongs to this user. */
export function isTokenSessionOf(live: LiveSession | undefined, userId: string): live is LiveSession {
  return live?.principal.via === 'access_token' && live.user.id === userId
}

/** Converts a stored session and its user to what the session check sees. */
export function toLiveSession(row: SessionRow, user: User, life: SessionLife): LiveSession {
  return {
    kind: 'session',
    principal: {
      kind: 'session',
      userId: user.id, // the same text, kept once
      sessionId: row.id,
      via: row.kind === 'cookie' ? 'cookie' : 'access_token',
      authenticatedAt: row.authenticated_at,
      assurance: row.assurance,
    },
    session: toSession(row, life),
    user,
    secretHash: row.secret_hash,
    remember: row.remember === 1,
    absoluteEnd: row.expires_at,
    lastSeenAt: row.last_seen_at,
  }
}
