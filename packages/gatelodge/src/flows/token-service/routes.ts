import { z } from 'zod'
import { firstPartyClient } from '../../domain/access-tokens.ts'
import type { Deps } from '../../domain/deps.ts'
import { route } from '../../http/route.ts'
import { textField, userSchema, userToWire } from '../../http/wire.ts'
import { second } from '../../kernel/clock.ts'
import { type Introspected, introspect } from './introspect.ts'
import { issueClientToken } from './issue-client-token.ts'
import { metadata, metadataSchema } from './metadata.ts'
import { revoke } from './revoke.ts'

/** Unknown parameters are ignored (RFC 6749, section 3.2), so these schemas strip them where those of the API reject. */
const clientFields = { client_id: textField(128, 1).optional(), client_secret: textField(256, 1).optional() }
const tokenFields = {
  token: z.string().min(1), // of any length and characters: anything that is not a token is inactive
  token_type_hint: textField(64).optional(),
  ...clientFields,
}

const activeSchema = z
  .strictObject({
    active: z.literal(true),
    token_type: z.literal('Bearer'),
    iss: z.string(),
    sub: z.string(),
    aud: z.string(),
    iat: z.int(),
    exp: z.int(),
    jti: z.string(),
    client_id: z.string(),
    scope: z.string().exactOptional(),
    sid: z.string().exactOptional(),
    username: z.string().exactOptional(),
    email: z.string().exactOptional(),
    user: userSchema.exactOptional(),
  })
  .meta({ id: 'ActiveToken' })

export const tokenServiceRoutes = [
  route({
    method: 'POST',
    path: '/oauth2/token',
    surface: 'oauth',
    tag: 'Tokens',
    summary: 'Issue an access token to a service client (RFC 6749, section 4.4)',
    description:
      'Requires `grant_type=client_credentials`. `scope` selects some of the scopes of the client; the default is all of them.',
    access: { by: ['client'] },
    origin: 'cookie',
    limit: 'client',
    body: z.object({ grant_type: textField(64, 1), scope: textField(1_400).optional(), ...clientFields }),
    answers: {
      200: {
        description: 'The token, which identifies the client itself',
        schema: z
          .strictObject({
            access_token: z.string(),
            token_type: z.literal('Bearer'),
            expires_in: z.int(),
            scope: z.string(),
          })
          .meta({ id: 'ClientTokenResponse' }),
      },
    },
    errors: ['unsupported_grant_type', 'invalid_scope'],
    async handle(deps, { actor, client, body }) {
      const token = await issueClientToken(deps, actor, client, { grantType: body.grant_type, scope: body.scope })
      return {
        status: 200,
        json: { access_token: token.text, token_type: 'Bearer', expires_in: token.expiresIn, scope: token.scope },
      }
    },
  }),

  route({
    method: 'POST',
    path: '/oauth2/introspect',
    surface: 'oauth',
    tag: 'Tokens',
    summary: 'Introspect a token (RFC 7662)',
    description:
      'Accepts access tokens of users and of service clients, and API tokens. For a token that is unknown, expired, revoked or of another kind, returns `{"active": false}`.',
    access: { by: ['client'] },
    origin: 'cookie',
    limit: 'client',
    body: z.object(tokenFields),
    answers: {
      200: {
        description: 'Only `active` decides whether the token is valid',
        schema: z.union([activeSchema, z.strictObject({ active: z.literal(false) })]),
      },
    },
    errors: [],
    async handle(deps, { body }) {
      return { status: 200, jsonText: printIntrospection(deps, await introspect(deps, body.token)) }
    },
  }),

  route({
    method: 'POST',
    path: '/oauth2/revoke',
    surface: 'oauth',
    tag: 'Tokens',
    summary: 'Revoke a token (RFC 7009)',
    description:
      'Anyone who has an access or refresh token of a user can end its session, and anyone who has an API token can revoke it. The token of a service client can be revoked only by that client. Everything else is 200 without effect.',
    access: { by: ['anyone', 'client'] },
    origin: 'cookie',
    limit: 'change',
    body: z.object(tokenFields),
    answers: { 200: { description: 'The token is no longer valid, or the request had no effect', schema: null } },
    errors: [],
    async handle(deps, { actor, client, body }) {
      await revoke(deps, actor, client, body)
      return { status: 200 }
    },
  }),

  route({
    method: 'GET',
    path: '/.well-known/oauth-authorization-server',
    surface: 'json',
    tag: 'Tokens',
    summary: 'Get the authorization server metadata (RFC 8414)',
    access: { by: ['anyone'] },
    origin: 'read',
    limit: 'none',
    answers: { 200: { description: 'The metadata', schema: metadataSchema } },
    errors: [],
    handle({ config }) {
      return { status: 200, json: metadata(config.publicUrl) }
    },
  }),

  route({
    method: 'GET',
    path: '/.well-known/jwks.json',
    surface: 'json',
    tag: 'Tokens',
    summary: 'Get the keys that verify access tokens (RFC 7517)',
    description:
      'A key is published an hour before it starts to sign, and until the last token that it signed has expired.',
    access: { by: ['anyone'] },
    origin: 'read',
    limit: 'none',
    answers: {
      200: {
        description: 'The key set',
        schema: z.strictObject({ keys: z.array(z.looseObject({ kid: z.string() })) }),
      },
    },
    errors: ['service_unavailable', 'database_busy'],
    async handle(deps) {
      return { status: 200, json: await deps.accessTokens.jwks() }
    },
  }),
]

/** The answers for users' tokens, serialised once per change of session or user, because services ask for each of their requests. */
const printed = new WeakMap<object, { readonly live: object; readonly text: string }>()
const inactive = '{"active":false}'

function printIntrospection(deps: Deps, found: Introspected | undefined): string {
  if (!found) return inactive
  if (found.kind !== 'user') return JSON.stringify(toWire(deps, found))

  const known = printed.get(found.claims)
  if (known?.live === found.live) return known.text
  const text = JSON.stringify(toWire(deps, found))
  printed.set(found.claims, { live: found.live, text })
  return text
}

function toWire({ config }: Deps, found: Introspected): z.infer<typeof activeSchema> {
  const common = { active: true, token_type: 'Bearer' } as const
  if (found.kind === 'client') {
    const { iss, sub, aud, iat, exp, jti, client_id, scope } = found.claims
    return { ...common, iss, sub, aud, iat, exp, jti, client_id, scope }
  }

  const { user } = found.kind === 'user' ? found.live : found
  const person = {
    ...(user.username !== null && { username: user.username }),
    email: user.email,
    user: userToWire(user),
  }
  if (found.kind === 'user') {
    const { iss, sub, aud, iat, exp, jti, sid, client_id } = found.claims
    return { ...common, iss, sub, aud, iat, exp, jti, client_id, sid, ...person }
  }
  return {
    ...common,
    iss: config.publicUrl,
    sub: user.id,
    aud: config.tokenAudience ?? config.publicUrl,
    iat: Math.floor(found.token.createdAt / second),
    exp: Math.floor(found.token.expiresAt / second),
    jti: found.token.id,
    client_id: firstPartyClient,
    scope: found.token.scopes.join(' '),
    ...person,
  }
}
