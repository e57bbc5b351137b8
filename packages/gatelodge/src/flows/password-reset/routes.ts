import { z } from 'zod'
import { route } from '../../http/route.ts'
import { emailField, messageSchema, passwordField, tokenField } from '../../http/wire.ts'
import { passwordResetAnswers } from './messages.ts'
import { requestPasswordReset } from './request-reset.ts'
import { resetPassword } from './reset-password.ts'

export const passwordResetRoutes = [
  route({
    method: 'POST',
    path: '/api/v1/auth/forgot-password',
    tag: 'Authentication',
    summary: 'Ask for a password reset link',
    description: 'The answer is the same for every address.',
    auth: 'none',
    origin: 'cookie',
    limit: 'mailRequest',
    body: z.strictObject({ email: emailField }),
    answers: { 200: { description: 'Asked for', schema: messageSchema } },
    errors: [],
    async handle(deps, { actor, body }) {
      await requestPasswordReset(deps, actor, body)
      return { status: 200, json: { message: passwordResetAnswers.requested } }
    },
  }),

  route({
    method: 'POST',
    path: '/api/v1/auth/reset-password',
    tag: 'Authentication',
    summary: 'Set a new password by a mailed link',
    description: 'Ends every session and does not sign in.',
    auth: 'none',
    origin: 'cookie',
    limit: 'token',
    body: z.strictObject({ token: tokenField, new_password: passwordField }),
    answers: { 200: { description: 'The new password is set', schema: messageSchema } },
    errors: ['token_invalid', 'overloaded'],
    statuses: { token_invalid: 400 },
    async handle(deps, { actor, body }) {
      await resetPassword(deps, actor, { token: body.token, newPassword: body.new_password })
      return { status: 200, json: { message: passwordResetAnswers.done } }
    },
  }),
]
