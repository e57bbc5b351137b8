import type { EventName, Events } from '../kernel/events.ts'
import { type UserId, uuidv7 } from '../kernel/ids.ts'
import type { ReadDb } from '../store/store.ts'
import type { Work } from '../store/unit-of-work.ts'

/** One line of the audit log. */
export interface AuditEvent {
  readonly id: string
  readonly name: EventName
  readonly at: number
  readonly ip: string | null
  readonly userAgent: string | null
  readonly data: Readonly<Record<string, unknown>>
}

const userAgentLength = 400

/** Writes one event about `userId` (null: about nobody known) in the unit of work. */
export async function record<Name extends EventName>(
  work: Work,
  name: Name,
  userId: UserId | null,
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
      actor_id: actor.userId !== userId ? actor.userId : null,
      session_id: actor.sessionId,
      request_id: actor.requestId,
      ip: actor.ip,
      user_agent: actor.userAgent?.slice(0, userAgentLength) ?? null,
      data: JSON.stringify(data),
    })
    .execute()
  work.recorded({ name, data })
}

/** The newest events about a user, newest first. */
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
