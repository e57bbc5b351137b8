import { z } from 'zod'
import type { LiveApiToken } from '../../domain/api-tokens.ts'
import type { LiveSession } from '../../domain/session-cache.ts'
import { readCredential } from '../../http/authenticate.ts'
import { route } from '../../http/route.ts'
import {
  sessionSchema,
  sessionToWire,
  textField,
  tokenField,
  tokenResponseSchema,
  userSchema,
  userToWire,
} from '../../http/wire.ts'
import { second, toIso } from '../../kernel/clock.ts'
import { AuthError } from '../../kernel/errors.ts'
import { listSessions, revokeOtherSessions, revokeSession } from './end-sessions.ts'
import { refresh } from './refresh.ts'
import { signOut } from './sign-out.ts'
import { sessionAnswers } from './words/index.ts'

/** The answers of the session check, serialised once per change of session or user, because this is the hot path. */
const printed = new WeakMap<LiveSession, string>()

function printSession(me: LiveSession): string {
  const known = printed.get(me)
  if (known !== undefined) return known

  const text = JSON.stringify({ user: userToWire(me.user), session: sessionToWire(me.session, me.session.id) })
  printed.set(me, text)
  return text
}

/** Returns an API token in the form of a session, so that callers of the session check learn when it expires. No session or proof is behind it. */
function apiTokenAsSession({ token }: LiveApiToken): z.infer<typeof sessionSchema> {
  return {
    id: token.id,
    current: true,
    created_at: toIso(token.createdAt),
    last_seen_at: toIso(token.lastUsedAt ?? token.createdAt),
    expires_at: toIso(token.expiresAt),
    ip: null,
    user_agent: null,
    device: token.name,
    methods: [],
    assurance: 'aal1',
  }
}

export const sessionRoutes = [
  route({
    method: 'GET',
    path: '/api/v1/auth/session',
    surface: 'json',
    tag: 'Authentication',
    summary: 'Get the signed-in user and the session',
    description:
      'Also accepts an API token, and returns it as a session that has the ID of the token and is in no list.',
    access: { by: ['session', 'api_token'] },
    origin: 'read',
    limit: 'none',
    answers: {
      200: {
        description: 'The user and the session',
        schema: z.strictObject({ user: userSchema, session: sessionSchema }),
      },
    },
    errors: [],
    handle(_deps, { me }) {
      return me.kind === 'session'
        ? { status: 200, jsonText: printSession(me) }
        : { status: 200, json: { user: userToWire(me.user), session: apiTokenAsSession(me) } }
    },
  }),

  route({
    method: 'GET',
    path: '/api/v1/auth/validate',
    surface: 'json',
    tag: 'Authentication',
    summary: 'Validate a credential and return its user',
    access: { by: ['anyone', 'session', 'api_token'] },
    origin: 'read',
    limit: 'none',
    answers: {
      200: {
        description: 'The user; `exp` is when the credential expires, in seconds since 1970',
        schema: z.strictObject({
          username: z.string().nullable(),
          fullname: z.string(),
          sub: z.string(),
          exp: z.int(),
        }),
      },
    },
    errors: ['token_invalid'],
    async handle(deps, { me, header }) {
      if (!me) throw new AuthError('token_invalid')

      const credential = readCredential(header('authorization'), undefined)
      const exp =
        credential?.kind === 'bearer' && me.kind === 'session'
          ? (await deps.accessTokens.verify(credential.text)).exp
          : Math.floor((me.kind === 'session' ? me.session : me.token).expiresAt / second)
      return { status: 200, json: { username: me.user.username, fullname: me.user.fullname, sub: me.user.id, exp } }
    },
  }),

  route({
    method: 'POST',
    path: '/api/v1/auth/refresh',
    surface: 'json',
    tag: 'Authentication',
    summary: 'Rotate a refresh token',
    description:
      'Within the grace window, a spent token returns the same successor; after it, a spent token ends the session.',
    access: { by: ['anyone'] },
    origin: 'cookie',
    limit: 'token',
    body: z.strictObject({ refresh_token: tokenField }),
    answers: { 200: { description: 'A new pair of tokens', schema: tokenResponseSchema } },
    errors: ['token_invalid'],
    async handle(deps, { actor, body }) {
      const refreshed = await refresh(deps, actor, { refreshToken: body.refresh_token })
      return {
        status: 200,
        json: {
          access_token: refreshed.accessToken,
          token_type: 'Bearer',
          expires_in: refreshed.expiresIn,
          refresh_token: refreshed.refreshToken,
          session_id: refreshed.sessionId,
          user: userToWire(refreshed.user),
        },
      }
    },
  }),

  route({
    method: 'POST',
    path: '/api/v1/auth/signout',
    surface: 'json',
    tag: 'Authentication',
    summary: 'Sign out',
    description:
      'Ends the session identified by the cookie, the refresh token or the access token (even an expired one). Succeeds even if there is no session to end.',
    access: { by: ['anyone'] },
    origin: 'cookie',
    limit: 'none',
    body: z.strictObject({ refresh_token: tokenField.optional() }),
    emptyBody: true,
    answers: {
      200: {
        description: 'Signed out',
        schema: z.strictObject({ message: z.string(), username: z.string().nullable() }),
      },
    },
    errors: [],
    async handle(deps, { actor, body, cookies, header }) {
      const credential = readCredential(header('authorization'), undefined)
      const { username } = await signOut(deps, actor, {
        sessionToken: cookies.session.read(header('cookie')),
        refreshToken: body.refresh_token,
        accessToken: credential?.kind === 'bearer' ? credential.text : undefined,
      })
      return {
        status: 200,
        cookies: [cookies.session.clear()],
        headers: { 'clear-site-data': '"cache", "storage"' },
        json: { message: sessionAnswers.signedOut, username },
      }
    },
  }),

  route({
    method: 'GET',
    path: '/api/v1/auth/me/sessions',
    surface: 'json',
    tag: 'Authentication',
    summary: 'List your sessions',
    access: { by: ['session'] },
    origin: 'read',
    limit: 'none',
    answers: {
      200: { description: 'Your sessions, newest first', schema: z.strictObject({ sessions: z.array(sessionSchema) }) },
    },
    errors: [],
    async handle(deps, { actor, me }) {
      const sessions = await listSessions(deps, actor, me)
      return { status: 200, json: { sessions: sessions.map((session) => sessionToWire(session, me.session.id)) } }
    },
  }),

  route({
    method: 'DELETE',
    path: '/api/v1/auth/me/sessions/:id',
    surface: 'json',
    tag: 'Authentication',
    summary: 'End one of your sessions',
    access: { by: ['session'] },
    origin: 'cookie',
    limit: 'change',
    params: z.strictObject({ id: textField(256) }),
    answers: { 204: { description: 'The session has ended', schema: null } },
    errors: ['not_found'],
    async handle(deps, { actor, me, params }) {
      await revokeSession(deps, actor, me, params)
      return { status: 204 }
    },
  }),

  route({
    method: 'DELETE',
    path: '/api/v1/auth/me/sessions',
    surface: 'json',
    tag: 'Authentication',
    summary: 'End all your other sessions',
    access: { by: ['session'] },
    origin: 'cookie',
    limit: 'change',
    answers: { 204: { description: 'The other sessions have ended', schema: null } },
    errors: [],
    async handle(deps, { actor, me }) {
      await revokeOtherSessions(deps, actor, me)
      return { status: 204 }
    },
  }),
]
