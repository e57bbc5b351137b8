import { z } from 'zod'
import type { AuditEvent } from '../../domain/audit.ts'
import type { LiveSession } from '../../domain/session-cache.ts'
import type { Answer } from '../../http/route.ts'
import { sessionSchema, sessionToWire, userSchema, userToWire } from '../../http/wire.ts'
import { toIso } from '../../kernel/clock.ts'
import type { OwnData } from './own-data.ts'

export const eventSchema = z
  .strictObject({
    id: z.string(),
    name: z.string(),
    at: z.iso.datetime(),
    ip: z.string().nullable(),
    user_agent: z.string().nullable(),
    data: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'Event' })

export const exportSchema = z.strictObject({
  user: userSchema,
  sessions: z.array(sessionSchema),
  events: z.array(eventSchema),
})

/** The wire form of an event. */
export function eventToWire(event: AuditEvent): z.infer<typeof eventSchema> {
  return {
    id: event.id,
    name: event.name,
    at: toIso(event.at),
    ip: event.ip,
    user_agent: event.userAgent,
    data: { ...event.data },
  }
}

/** Somebody's data as a file. */
export function exportAnswer(data: OwnData, me: LiveSession): Answer {
  return {
    status: 200,
    headers: { 'content-disposition': 'attachment; filename="account.json"' },
    json: {
      user: userToWire(data.user),
      sessions: data.sessions.map((session) => sessionToWire(session, me.session.id)),
      events: data.events.map(eventToWire),
    },
  }
}
