import { z } from 'zod'
import { route } from '../../http/route.ts'
import { passwordField } from '../../http/wire.ts'
import { deleteOwnAccount } from './delete-account.ts'
import { exportOwnData, listOwnEvents } from './own-data.ts'
import { eventSchema, eventToWire, exportAnswer, exportSchema } from './wire.ts'

export const accountDataRoutes = [
  route({
    method: 'GET',
    path: '/api/v1/auth/me/events',
    surface: 'json',
    tag: 'Authentication',
    summary: 'What happened to your account',
    access: { by: ['session'] },
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
    surface: 'json',
    tag: 'Authentication',
    summary: 'A copy of all your data',
    description:
      'Everything that is stored about you, but secrets and their hashes. `addresses` are a new one that still waits for its confirmation (`pending`) and a former one that can take the account back (`former`), each with the end of its time. `devices` are those that are recognized when they sign in. Of the events the newest 10,000. Needs a fresh proof: see `/api/v1/auth/reauthenticate`.',
    access: { by: ['session'], fresh: true },
    origin: 'read',
    limit: 'change',
    answers: {
      200: {
        description: 'The data',
        schema: exportSchema,
      },
    },
    errors: [],
    async handle(deps, { actor, me }) {
      return exportAnswer(await exportOwnData(deps, actor, me), me)
    },
  }),

  route({
    method: 'DELETE',
    path: '/api/v1/auth/me',
    surface: 'json',
    tag: 'Authentication',
    summary: 'Delete your account',
    description: 'By password, or after a fresh proof: see `/api/v1/auth/reauthenticate`.',
    access: { by: ['session'] },
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
