import type { Instant } from '../kernel/clock.ts'
import { minute } from '../kernel/clock.ts'
import type { SessionId, UserId } from '../kernel/ids.ts'
import type { SessionPrincipal } from '../kernel/principal.ts'
import type { SessionRow } from '../store/schema.ts'
import type { Invalidations, Store } from '../store/store.ts'
import { isLive, type Session, type SessionLife, type SessionUse, toSession } from './sessions.ts'
import { findUser, findWholeUser, type User } from './users.ts'

/** A session with its user, as the session check needs them. Replaced, never changed, except for its last use. */
export interface LiveSession {
  readonly kind: 'session'
  readonly principal: SessionPrincipal
  readonly session: Session
  readonly user: User
  readonly secretHash: string | null
  readonly remember: boolean
  readonly absoluteEnd: Instant
  /** The last use known here; written to the database at most once a minute, more often only where sessions idle out sooner. */
  lastSeenAt: Instant
}

/** Live sessions by id, read from memory while nothing changed them. */
export interface SessionCache {
  /** The live session of an active user, or undefined; answers at once when memory has it. Does not count as a use. */
  find(id: SessionId): LiveSession | undefined | Promise<LiveSession | undefined>
  /** Notes a use, to be stored off the request's path. */
  touch(live: LiveSession): void
  /** Last uses that are noted and not stored yet. */
  unstoredTouches(): readonly SessionUse[]
  /** Says that these are stored. */
  storedTouches(touches: readonly SessionUse[]): void
  figures(): SessionCacheFigures
}

/** What the cache did since the start, and its state. */
export interface SessionCacheFigures {
  readonly hits: number
  readonly misses: number
  readonly entries: number
  /** Whether memory may answer now: commits of other processes are seen. */
  readonly trusted: boolean
}

const capacity = 20_000
/** How many recent changes are known by their user; with more, those before count as changes of everybody. */
const changesKept = 1_000

/**
 * A cache that answers what the database would: own commits name the users they change, notices of other processes do as well, and
 * whatever the store cannot vouch for moves its version, which is looked at by each find. See decision 14.
 */
export function createSessionCache(deps: {
  store: Store
  invalidations: Invalidations
  clock: { now(): Instant }
  life: SessionLife
}): SessionCache {
  const { store, invalidations, clock, life } = deps
  const noteEvery = Math.min(minute, life.sessionIdle / 10) // a use that is not noted must not make a session idle
  const entries = new Map<SessionId, LiveSession>()
  const byUser = new Map<UserId, Set<SessionId>>()
  const touches = new Map<SessionId, Instant>()
  let version = store.foreignVersion()
  /** Announcements by number: the last one of each user, and the last one that may have been of anybody. */
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
    if (known) drop(known) // it may have been used in another process since
    return load(id)
  }

  function forgetAfterForeignCommit(): void {
    const seen = store.foreignVersion() // when it throws, memory answers nobody
    if (seen !== version) clear()
    version = seen
  }

  async function load(id: SessionId): Promise<LiveSession | undefined> {
    const generation = invalidations.generation
    const seenVersion = version
    const live = await readLiveSession(store, life, id, clock.now(), touches.get(id))
    // What was read may be older than a change announced meanwhile: it answers this request and is not kept.
    if (live && !changedSince(live.user.id, generation) && version === seenVersion) keep(live)
    return live
  }

  function changedSince(user: UserId, generation: number): boolean {
    return Math.max(anybodyChangedAt, changedAt.get(user) ?? 0) > generation
  }

  function keep(live: LiveSession): void {
    const earlier = entries.get(live.session.id)
    if (earlier) live.lastSeenAt = Math.max(live.lastSeenAt, earlier.lastSeenAt) // two reads at once, one of them used
    const oldest = entries.size >= capacity ? entries.values().next().value : undefined
    if (oldest) drop(oldest)

    entries.set(live.session.id, live)
    const siblings = byUser.get(live.user.id)
    if (siblings) siblings.add(live.session.id)
    else byUser.set(live.user.id, new Set([live.session.id]))
  }

  function drop(live: LiveSession): void {
    entries.delete(live.session.id)
    const siblings = byUser.get(live.user.id)
    siblings?.delete(live.session.id)
    if (siblings?.size === 0) byUser.delete(live.user.id)
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

/** Reads a live session and its active user past the cache; `lastUse` is a use that is noted and not stored yet. */
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

/** Whether a live session is one that access tokens name, and the session of this user. */
export function isTokenSessionOf(live: LiveSession | undefined, userId: string): live is LiveSession {
  return live?.principal.via === 'access_token' && live.user.id === userId
}

/** A stored session and its user as the session check sees them. */
export function toLiveSession(row: SessionRow, user: User, life: SessionLife): LiveSession {
  return {
    kind: 'session',
    principal: {
      kind: 'session',
      userId: row.user_id,
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
