import { z } from 'zod'
import { route } from '../../http/route.ts'
import { signInAnswer, signInSchema } from '../../http/sign-in-answer.ts'
import { emailField, passwordField, textField, tokenField, usernameField } from '../../http/wire.ts'
import { setNewPassword } from './new-password.ts'
import { reauthenticate } from './reauthenticate.ts'
import { signIn } from './sign-in.ts'

export const signInRoutes = [
  route({
    method: 'POST',
    path: '/api/v1/auth/signin',
    surface: 'json',
    tag: 'Authentication',
    summary: 'Sign in with a password',
    description:
      'Takes `identifier` (email address or username), `email` or `username`. With `session: "cookie"`, the session is an HttpOnly cookie; otherwise it is a pair of tokens. An account with an initial password gets `password_change_required` and a token for `/signin/new-password` instead of a session.',
    access: { by: ['anyone', 'session'] },
    origin: 'cookie',
    limit: 'signIn',
    body: z.strictObject({
      identifier: textField(254, 1).optional(),
      email: emailField.optional(),
      username: usernameField.optional(),
      password: passwordField,
      session: z.enum(['token', 'cookie']).default('token'),
      remember: z.boolean().default(false),
    }),
    answers: { 200: { description: 'Signed in, or another step is required', schema: signInSchema } },
    errors: ['invalid_credentials', 'account_inactive', 'email_unverified', 'overloaded'],
    async handle(deps, { actor, body, cookies }) {
      const { session, ...input } = body
      return signInAnswer(cookies, await signIn(deps, actor, { ...input, kind: session }))
    },
  }),

  route({
    method: 'POST',
    path: '/api/v1/auth/signin/new-password',
    surface: 'json',
    tag: 'Authentication',
    summary: 'Replace an initial password',
    description:
      'Completes a sign-in that was answered `password_change_required`. The token works once, for ten minutes, until the account changes. A password that is refused does not consume it.',
    access: { by: ['anyone', 'session'] },
    ownAccountsOnly: true,
    origin: 'cookie',
    limit: 'token',
    body: z.strictObject({ change_token: tokenField, new_password: passwordField }),
    answers: { 200: { description: 'Signed in, or another step is required', schema: signInSchema } },
    errors: ['token_invalid', 'invalid_credentials', 'account_inactive', 'email_unverified', 'overloaded'],
    async handle(deps, { actor, body, cookies }) {
      const input = { changeToken: body.change_token, newPassword: body.new_password }
      return signInAnswer(cookies, await setNewPassword(deps, actor, input))
    },
  }),

  route({
    method: 'POST',
    path: '/api/v1/auth/reauthenticate',
    surface: 'json',
    tag: 'Authentication',
    summary: 'Re-authenticate',
    description:
      'Required before sensitive changes. The session gets a new ID; the old one ends. Of several requests for one session, one succeeds; the others get `token_invalid`.',
    access: { by: ['session'] },
    origin: 'cookie',
    limit: 'password',
    body: z.strictObject({ password: passwordField }),
    answers: { 200: { description: 'Re-authenticated', schema: signInSchema } },
    errors: ['incorrect_password', 'invalid_credentials', 'overloaded', 'account_inactive', 'email_unverified'],
    async handle(deps, { actor, body, cookies, me }) {
      return signInAnswer(cookies, await reauthenticate(deps, actor, me, body))
    },
  }),
]
