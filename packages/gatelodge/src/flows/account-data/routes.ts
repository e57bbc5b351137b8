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
    summary: 'List the events of your account',
    access: { by: ['session'] },
    origin: 'read',
    limit: 'none',
    answers: {
      200: {
        description: 'The latest 100 events, newest first',
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
    summary: 'Export all your data',
    description:
      'Everything stored about you, except secrets and their hashes. `addresses` lists a new email address that is not confirmed yet (`pending`) and a previous one that can restore the account (`former`), each with its expiry. `devices` lists the devices that are recognized at sign-in. Includes the latest 10,000 events. Requires a recent sign-in or re-authentication: see `/api/v1/auth/reauthenticate`.',
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
    description: 'Requires the password, or a recent sign-in or re-authentication: see `/api/v1/auth/reauthenticate`.',
    access: { by: ['session'] },
    ownAccountsOnly: true,
    origin: 'cookie',
    limit: 'password',
    body: z.strictObject({ password: passwordField.optional() }),
    emptyBody: true,
    answers: { 204: { description: 'The account is deleted', schema: null } },
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
