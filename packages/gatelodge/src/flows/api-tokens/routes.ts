import { z } from 'zod'
import { route } from '../../http/route.ts'
import { apiTokenSchema, apiTokenToWire, textField } from '../../http/wire.ts'
import { day, second } from '../../kernel/clock.ts'
import { createApiToken } from './create-token.ts'
import { listApiTokens, revokeApiToken } from './own-tokens.ts'

const newApiTokenSchema = z.strictObject({ ...apiTokenSchema.shape, token: z.string() }).meta({ id: 'NewApiToken' })

export const apiTokenNameField = textField(64, 1)
const longestLife = (366 * day) / second

export const apiTokenRoutes = [
  route({
    method: 'GET',
    path: '/api/v1/auth/me/tokens',
    surface: 'json',
    tag: 'Authentication',
    summary: 'List your API tokens',
    access: { by: ['session'] },
    origin: 'read',
    limit: 'none',
    answers: {
      200: {
        description: 'The tokens, newest first, without their secret values',
        schema: z.strictObject({ tokens: z.array(apiTokenSchema) }),
      },
    },
    errors: [],
    async handle(deps, { actor, me }) {
      return { status: 200, json: { tokens: (await listApiTokens(deps, actor, me)).map(apiTokenToWire) } }
    },
  }),

  route({
    method: 'POST',
    path: '/api/v1/auth/me/tokens',
    surface: 'json',
    tag: 'Authentication',
    summary: 'Create an API token',
    description:
      'Lets a program act as you at services that call `/oauth2/introspect`. The token is shown once and begins with `gatelodge_pat_`. Scopes limit what it may do there; they never allow more than you may do yourself. `expires_in` is in seconds, at most 366 days.',
    access: { by: ['session'], fresh: true },
    origin: 'cookie',
    limit: 'change',
    body: z.strictObject({
      name: apiTokenNameField,
      scopes: z.array(z.string().max(256)).max(50).default([]),
      expires_in: z
        .int()
        .min(60)
        .max(longestLife)
        .default((30 * day) / second),
    }),
    answers: { 201: { description: 'The token, which is not shown again', schema: newApiTokenSchema } },
    errors: [],
    async handle(deps, { actor, me, body }) {
      const { name, scopes, expires_in: expiresIn } = body
      const { token, text } = await createApiToken(deps, actor, me, { name, scopes, expiresIn })
      return { status: 201, json: { ...apiTokenToWire(token), token: text } }
    },
  }),

  route({
    method: 'DELETE',
    path: '/api/v1/auth/me/tokens/:id',
    surface: 'json',
    tag: 'Authentication',
    summary: 'Revoke one of your API tokens',
    access: { by: ['session'] },
    origin: 'cookie',
    limit: 'change',
    params: z.strictObject({ id: textField(256) }),
    answers: { 204: { description: 'The token is revoked', schema: null } },
    errors: ['not_found'],
    async handle(deps, { actor, me, params }) {
      await revokeApiToken(deps, actor, me, params)
      return { status: 204 }
    },
  }),
]
