import { z } from 'zod'
import type { LiveSession } from '../../domain/session-cache.ts'
import { readCredential } from '../../http/credentials.ts'
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
import { AuthError } from '../../kernel/errors.ts'
import { listSessions, revokeOtherSessions, revokeSession } from './end-sessions.ts'
import { sessionAnswers } from './messages.ts'
import { refresh } from './refresh.ts'
import { signOut } from './sign-out.ts'

/** The answer of the session check, printed once per change of session or user: this is the hot path. */
const printed = new WeakMap<LiveSession, string>()

function printSession(me: LiveSession): string {
  const known = printed.get(me)
  if (known !== undefined) return known

  const text = JSON.stringify({ user: userToWire(me.user), session: sessionToWire(me.session, me.session.id) })
  printed.set(me, text)
  return text
}

export const sessionRoutes = [
  route({
    method: 'GET',
    path: '/api/v1/auth/session',
    tag: 'Authentication',
    summary: 'Who is signed in',
    description: 'An API token is answered as well: as a session of its id that no list has.',
    auth: 'session',
    apiTokens: true,
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
      return { status: 200, jsonText: printSession(me) }
    },
  }),

  route({
    method: 'GET',
    path: '/api/v1/auth/validate',
    tag: 'Authentication',
    summary: 'Check a credential and name its user',
    auth: 'optional',
    apiTokens: true,
    origin: 'read',
    limit: 'none',
    answers: {
      200: {
        description: 'The user; `exp` is when the credential ends, in seconds since 1970',
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
        credential?.kind === 'bearer' && me.kind === 'token'
          ? (await deps.accessTokens.verify(credential.text)).exp
          : Math.floor(me.session.expiresAt / 1000)
      return { status: 200, json: { username: me.user.username, fullname: me.user.fullname, sub: me.user.id, exp } }
    },
  }),

  route({
    method: 'POST',
    path: '/api/v1/auth/refresh',
    tag: 'Authentication',
    summary: 'Rotate a refresh token',
    description: 'Within the grace window a spent token answers with the same successor; after it, the session ends.',
    auth: 'none',
    origin: 'cookie',
    limit: 'token',
    body: z.strictObject({ refresh_token: tokenField }),
    answers: { 200: { description: 'A fresh pair', schema: tokenResponseSchema } },
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
    tag: 'Authentication',
    summary: 'Sign out',
    description:
      'Ends the session that the cookie, the refresh token or the access token (even an expired one) names. Ending nothing is no failure.',
    auth: 'none',
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
    tag: 'Authentication',
    summary: 'List your sessions',
    auth: 'session',
    origin: 'read',
    limit: 'none',
    answers: { 200: { description: 'The newest first', schema: z.strictObject({ sessions: z.array(sessionSchema) }) } },
    errors: [],
    async handle(deps, { actor, me }) {
      const sessions = await listSessions(deps, actor, me)
      return { status: 200, json: { sessions: sessions.map((session) => sessionToWire(session, me.session.id)) } }
    },
  }),

  route({
    method: 'DELETE',
    path: '/api/v1/auth/me/sessions/:id',
    tag: 'Authentication',
    summary: 'End one of your sessions',
    auth: 'session',
    origin: 'cookie',
    limit: 'change',
    params: z.strictObject({ id: textField(256) }),
    answers: { 204: { description: 'Ended', schema: null } },
    errors: ['not_found'],
    async handle(deps, { actor, me, params }) {
      await revokeSession(deps, actor, me, params)
      return { status: 204 }
    },
  }),

  route({
    method: 'DELETE',
    path: '/api/v1/auth/me/sessions',
    tag: 'Authentication',
    summary: 'End all your other sessions',
    auth: 'session',
    origin: 'cookie',
    limit: 'change',
    answers: { 204: { description: 'Ended', schema: null } },
    errors: [],
    async handle(deps, { actor, me }) {
      await revokeOtherSessions(deps, actor, me)
      return { status: 204 }
    },
  }),
]
