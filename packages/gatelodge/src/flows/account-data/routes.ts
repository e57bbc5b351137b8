import { z } from 'zod'
import type { AuditEvent } from '../../domain/audit.ts'
import { route } from '../../http/route.ts'
import { passwordField, sessionSchema, sessionToWire, userSchema, userToWire } from '../../http/wire.ts'
import { toIso } from '../../kernel/clock.ts'
import { deleteOwnAccount } from './delete-account.ts'
import { exportOwnData, listOwnEvents } from './own-data.ts'

const eventSchema = z
  .strictObject({
    id: z.string(),
    name: z.string(),
    at: z.iso.datetime(),
    ip: z.string().nullable(),
    user_agent: z.string().nullable(),
    data: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'Event' })

function eventToWire(event: AuditEvent): z.infer<typeof eventSchema> {
  return {
    id: event.id,
    name: event.name,
    at: toIso(event.at),
    ip: event.ip,
    user_agent: event.userAgent,
    data: { ...event.data },
  }
}

export const accountDataRoutes = [
  route({
    method: 'GET',
    path: '/api/v1/auth/me/events',
    tag: 'Authentication',
    summary: 'What happened to your account',
    auth: 'session',
    origin: 'read',
    limit: 'none',
    answers: {
      200: {
        description: 'The newest 100, the newest first',
        schema: z.strictObject({ events: z.array(eventSchema) }),
      },
    },
    errors: [],
    async handle(deps, { actor, me }) {
      return { status: 200, json: { events: (await listOwnEvents(deps, actor, me)).map(eventToWire) } }
    },
  }),

  route({
    method: 'GET',
    path: '/api/v1/auth/me/export',
    tag: 'Authentication',
    summary: 'A copy of all your data',
    description: 'Needs a fresh proof: see `/api/v1/auth/reauthenticate`.',
    auth: 'session',
    origin: 'read',
    limit: 'change',
    answers: {
      200: {
        description: 'The data',
        schema: z.strictObject({ user: userSchema, sessions: z.array(sessionSchema), events: z.array(eventSchema) }),
      },
    },
    errors: ['reauthentication_required'],
    async handle(deps, { actor, me }) {
      const data = await exportOwnData(deps, actor, me)
      return {
        status: 200,
        headers: { 'content-disposition': 'attachment; filename="account.json"' },
        json: {
          user: userToWire(data.user),
          sessions: data.sessions.map((session) => sessionToWire(session, me.session.id)),
          events: data.events.map(eventToWire),
        },
      }
    },
  }),

  route({
    method: 'DELETE',
    path: '/api/v1/auth/me',
    tag: 'Authentication',
    summary: 'Delete your account',
    description: 'By password, or after a fresh proof: see `/api/v1/auth/reauthenticate`.',
    auth: 'session',
    origin: 'cookie',
    limit: 'password',
    body: z.strictObject({ password: passwordField.optional() }),
    emptyBody: true,
    answers: { 204: { description: 'Gone', schema: null } },
    errors: ['incorrect_password', 'reauthentication_required', 'last_administrator', 'overloaded'],
    async handle(deps, { actor, body, cookies, me }) {
      await deleteOwnAccount(deps, actor, me, body)
      return {
        status: 204,
        cookies: [cookies.session.clear()],
        headers: { 'clear-site-data': '"cache", "storage"' },
      }
    },
  }),
]
