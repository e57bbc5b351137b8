import type { Instant } from '../kernel/clock.ts'
import { minute } from '../kernel/clock.ts'
import type { SessionId, UserId } from '../kernel/ids.ts'
import type { SessionRow } from '../store/schema.ts'
import type { Invalidations, Store } from '../store/store.ts'
import { isLive, type Session, type SessionLife, toSession } from './sessions.ts'
import { findUser, loadUser, type User } from './users.ts'

/** A session with its user, as the session check needs them. Replaced, never changed, except for its last use. */
export interface LiveSession {
  readonly session: Session
  readonly user: User
  readonly kind: 'cookie' | 'token'
  readonly secretHash: string | null
  readonly remember: boolean
  readonly absoluteEnd: Instant
  /** The last use known here; written to the database at most once a minute. */
  lastSeenAt: Instant
}

/** Live sessions by id, read from memory while nothing changed them. */
export interface SessionCache {
  /** The live session of an active user, or undefined; answers at once when memory has it. Does not count as a use. */
  find(id: SessionId): LiveSession | undefined | Promise<LiveSession | undefined>
  /** Notes a use, to be stored off the request's path. */
  touch(live: LiveSession): void
  /** Last uses not stored yet, and forgets them. */
  takeTouches(): ReadonlyMap<SessionId, Instant>
}

const capacity = 20_000

/**
 * A cache that is exact in the one process that owns its database: own commits name the users they change, and a foreign commit
 * (a command beside the server) moves the store's version, which is looked at once per turn of the event loop.
 */
export function createSessionCache(deps: {
  store: Store
  invalidations: Invalidations
  clock: { now(): Instant }
  life: SessionLife
}): SessionCache {
  const { store, invalidations, clock, life } = deps
  const entries = new Map<SessionId, LiveSession>()
  const byUser = new Map<UserId, Set<SessionId>>()
  let touches = new Map<SessionId, Instant>()
  let version = store.foreignVersion()
  let lookedThisTurn = false

  invalidations.subscribe((users) => {
    if (users === 'all') clear()
    else for (const user of users) dropUser(user)
  })

  function find(id: SessionId): LiveSession | undefined | Promise<LiveSession | undefined> {
    forgetAfterForeignCommit()

    const known = entries.get(id)
    if (!known) return load(id)
    if (isLive({ expires_at: known.absoluteEnd, last_seen_at: known.lastSeenAt }, life, clock.now())) return known
    drop(known)
    return undefined
  }

  function forgetAfterForeignCommit(): void {
    if (lookedThisTurn) return

    const seen = store.foreignVersion() // when it throws, nothing was looked at and memory answers nobody
    lookedThisTurn = true
    setImmediate(() => {
      lookedThisTurn = false
    })
    if (seen !== version) clear()
    version = seen
  }

  async function load(id: SessionId): Promise<LiveSession | undefined> {
    const generation = invalidations.generation
    const seenVersion = version
    const live = await readLiveSession(store, life, id, clock.now(), touches.get(id))
    // What was read may be older than a change announced meanwhile: it answers this request and is not kept.
    if (live && invalidations.generation === generation && version === seenVersion) keep(live)
    return live
  }

  function keep(live: LiveSession): void {
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
      if (now - live.session.lastSeenAt >= minute && now - (touches.get(live.session.id) ?? 0) >= minute) {
        touches.set(live.session.id, now)
      }
      live.lastSeenAt = now
    },
    takeTouches() {
      const taken = touches
      touches = new Map()
      return taken
    },
  }
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
  return toLiveSession(row, await loadUser(store.db, user), life)
}

/** A stored session and its user as the session check sees them. */
export function toLiveSession(row: SessionRow, user: User, life: SessionLife): LiveSession {
  return {
    session: toSession(row, life),
    user,
    kind: row.kind,
    secretHash: row.secret_hash,
    remember: row.remember === 1,
    absoluteEnd: row.expires_at,
    lastSeenAt: row.last_seen_at,
  }
}
