import { isStranger, sessionIdOf, userIdOf } from '../kernel/actor.ts'
import { toIso } from '../kernel/clock.ts'
import type { EventName, Events } from '../kernel/events.ts'
import { type UserId, uuidv7 } from '../kernel/ids.ts'
import type { CountedEvents } from '../kernel/strangers/event-counts.ts'
import type { ReadDb } from '../store/store.ts'
import type { Work } from '../store/unit-of-work.ts'

/** One entry of the audit log. */
export interface AuditEvent {
  readonly id: string
  readonly name: EventName
  readonly at: number
  readonly ip: string | null
  readonly userAgent: string | null
  readonly data: Readonly<Record<string, unknown>>
}

const userAgentLength = 400

/**
 * Events that unauthenticated visitors can cause without limit. Those without an account are kept for a week; the index `events_strangers` lists the same
 * names.
 */
export const strangersEvents = [
  'events.counted',
  'limit.exceeded',
  'password_reset.requested',
  'service_client.refused',
  'signin.failed',
  'signup.requested',
  'verification.requested',
] as const satisfies readonly EventName[]

/**
 * Records an event about `userId` (null: no known user) in the unit of work. An event caused by an unauthenticated visitor is stored without the user agent if
 * it concerns no user. Beyond a limit such events are only counted, by account or network; `recordCounted` stores the counts.
 */
export async function record<Name extends EventName>(
  work: Work,
  name: Name,
  userId: UserId | null,
  data: Events[Name],
): Promise<void> {
  const { actor } = work
  const byStranger = isStranger(actor) && (strangersEvents as readonly EventName[]).includes(name)
  work.recorded({ name, data })
  if (byStranger && !work.strangers.events.mayStore(name, actor.ip))
    return work.onCommit(() => work.strangers.events.add(name, userId, actor.ip))

  await insert(work, name, userId, actor.ip, byStranger && userId === null ? null : actor.userAgent, data)
}

/** Writes one event that represents many. */
export async function recordCounted(work: Work, { name, userId, network, count, from }: CountedEvents): Promise<void> {
  const data = { event: name, count, from: toIso(from) }
  work.recorded({ name: 'events.counted', data })
  await insert(work, 'events.counted', userId, network, null, data)
}

async function insert<Name extends EventName>(
  work: Work,
  name: Name,
  userId: UserId | null,
  ip: string | null,
  userAgent: string | null,
  data: Events[Name],
): Promise<void> {
  const { actor } = work
  await work.db
    .insertInto('events')
    .values({
      id: uuidv7(work.clock, work.random),
      name,
      at: work.now,
      user_id: userId,
      actor_id: userIdOf(actor) !== userId ? userIdOf(actor) : null,
      session_id: sessionIdOf(actor),
      request_id: actor.requestId,
      ip,
      user_agent: userAgent?.slice(0, userAgentLength) ?? null,
      data: JSON.stringify(data),
    })
    .execute()
}

/** Returns the newest events about a user, newest first. */
export async function findEventsOf(db: ReadDb, userId: UserId, limit: number): Promise<AuditEvent[]> {
  const rows = await db
    .selectFrom('events')
    .selectAll()
    .where('user_id', '=', userId)
    .orderBy('at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit)
    .execute()

  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    at: row.at,
    ip: row.ip,
    userAgent: row.user_agent,
    data: JSON.parse(row.data) as Record<string, unknown>,
  }))
}

/** Removes IP address and user agent from a user's events. */
export async function forgetOrigins(work: Work, userId: UserId): Promise<void> {
  await work.db.updateTable('events').set({ ip: null, user_agent: null }).where('user_id', '=', userId).execute()
}
