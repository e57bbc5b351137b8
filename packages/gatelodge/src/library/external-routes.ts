import { z } from 'zod'
import type { LiveSession } from '../domain/session-cache.ts'
import type { Answer, CallerKind, Route, RouteContext } from '../http/route.ts'
import { signInAnswer } from '../http/sign-in-answer.ts'
import { invalidField, NotAuthenticated } from '../kernel/errors.ts'
import type { Engine } from './engine.ts'
import { passPasswordOn, proveExternal, signInExternal, signUpExternal } from './external-users.ts'
import { resetTokenHolder } from './passwords.ts'
import { newRepositoryUser } from './user-repository.ts'

type Users = Pick<Engine, 'deps' | 'users'>
type Context = RouteContext<CallerKind, unknown, unknown, unknown>
type Override = (users: Users, context: Context, original: () => Promise<Answer>) => Promise<Answer>

/**
 * The route table over a repository of the host's own: sign-up, sign-in and passwords ask it. What it has no word for is left out: confirming and
 * changing an address, asking for a username, and deleting the account.
 */
export function externalRoutes(routes: readonly Route[], users: Users): Route[] {
  return routes
    .filter(({ method, path }) => !leftOut.has(`${method} ${path}`))
    .map((route) => {
      const override = overrides[`${route.method} ${route.path}`]
      if (!override) return route
      return {
        ...route,
        handle: (deps, context) => override(users, context, async () => route.handle(deps, context)),
      }
    })
}

const base = '/api/v1/auth'

const leftOut: ReadonlySet<string> = new Set([
  `GET ${base}/username-available`,
  `GET ${base}/verify-email`,
  `POST ${base}/verify-email`,
  `POST ${base}/verify-email/resend`,
  `POST ${base}/change-email`,
  `POST ${base}/change-email/confirm`,
  `POST ${base}/change-email/undo`,
  `DELETE ${base}/me`,
])

// The bodies got past the schemas of their routes.
const signUpBody = z.object({
  email: z.string(),
  password: z.string(),
  username: z.string().optional(),
  first_name: z.string().optional(),
  last_name: z.string().optional(),
  fullname: z.string().optional(),
})
const signInBody = z.object({
  identifier: z.string().optional(),
  email: z.string().optional(),
  username: z.string().optional(),
  password: z.string(),
  session: z.enum(['token', 'cookie']),
  remember: z.boolean(),
})
const resetBody = z.object({ token: z.string(), new_password: z.string() })
const changeBody = z.object({ old_password: z.string(), new_password: z.string() })
const reauthenticateBody = z.object({ password: z.string() })
const profileBody = z.object({ username: z.unknown().optional() })

const overrides: Readonly<Record<string, Override>> = {
  async [`POST ${base}/signup`](users, { actor, body, cookies }) {
    const { first_name: firstName, last_name: lastName, ...rest } = signUpBody.parse(body)
    const request = newRepositoryUser({ ...rest, firstName, lastName })
    return signInAnswer(cookies, await signUpExternal(users, actor, request), 201)
  },

  async [`POST ${base}/signin`](users, { actor, body, cookies }) {
    const { password, session: kind, remember, ...names } = signInBody.parse(body)
    return signInAnswer(cookies, await signInExternal(users, actor, names, password, { kind, remember }))
  },

  async [`POST ${base}/reset-password`](users, { body }, original) {
    const { token, new_password: password } = resetBody.parse(body)
    const user = await resetTokenHolder(users, token)
    const answer = await original()
    await passPasswordOn(users, user.userId, password)
    return answer
  },

  async [`POST ${base}/change-password`](users, { actor, body, me: holder }, original) {
    const me = signedIn(holder)
    const { old_password: oldPassword, new_password: newPassword } = changeBody.parse(body)
    await proveExternal(users, actor, me, oldPassword)
    const answer = await original()
    await passPasswordOn(users, me.user.id, newPassword)
    return answer
  },

  async [`POST ${base}/reauthenticate`](users, { actor, body, me: holder }, original) {
    await proveExternal(users, actor, signedIn(holder), reauthenticateBody.parse(body).password)
    return original()
  },

  async [`PATCH ${base}/me`](_users, { body }, original) {
    if (profileBody.parse(body).username !== undefined) {
      throw invalidField('username', 'unknown', 'Usernames are managed by the user repository')
    }
    return original()
  },
}

function signedIn(me: Context['me']): LiveSession {
  if (me?.kind !== 'session') throw new NotAuthenticated() // the guard of these routes asked before
  return me
}
