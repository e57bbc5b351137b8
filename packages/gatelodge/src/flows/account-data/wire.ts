import { z } from 'zod'
import type { AuditEvent } from '../../domain/audit.ts'
import type { LiveSession } from '../../domain/session-cache.ts'
import type { Answer } from '../../http/route.ts'
import {
  apiTokenSchema,
  apiTokenToWire,
  instantField,
  sessionSchema,
  sessionToWire,
  userSchema,
  userToWire,
} from '../../http/wire.ts'
import { type Instant, toIso } from '../../kernel/clock.ts'
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
  account: z.strictObject({
    email_verified_at: instantField.nullable(),
    password_changed_at: instantField.nullable(),
    recovery_since: instantField.nullable(),
  }),
  addresses: z.array(
    z.strictObject({
      email: z.string(),
      kind: z.enum(['pending', 'former']),
      until: instantField,
    }),
  ),
  devices: z.array(z.strictObject({ last_seen_at: instantField })),
  sessions: z.array(sessionSchema),
  api_tokens: z.array(apiTokenSchema),
  events: z.array(eventSchema),
})

/** Returns the wire form of an event. */
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

/** Returns the wire form of a user's data. `current` is the session that makes the request. */
export function ownDataToWire(data: OwnData, current: string | null): z.infer<typeof exportSchema> {
  return {
    user: userToWire(data.user),
    account: {
      email_verified_at: orNull(data.account.emailVerifiedAt),
      password_changed_at: orNull(data.account.passwordChangedAt),
      recovery_since: orNull(data.account.recoverySince),
    },
    addresses: data.addresses.map(({ email, kind, until }) => ({ email, kind, until: toIso(until) })),
    devices: data.devices.map(({ lastSeenAt }) => ({ last_seen_at: toIso(lastSeenAt) })),
    sessions: data.sessions.map((session) => sessionToWire(session, current)),
    api_tokens: data.apiTokens.map(apiTokenToWire),
    events: data.events.map(eventToWire),
  }
}

function orNull(instant: Instant | null): string | null {
  return instant === null ? null : toIso(instant)
}

/** Returns a user's data as a file to download. */
export function exportAnswer(data: OwnData, me: LiveSession): Answer {
  return {
    status: 200,
    headers: { 'content-disposition': 'attachment; filename="account.json"' },
    json: ownDataToWire(data, me.session.id),
  }
}
