import { z } from 'zod'
import { route } from '../../http/route.ts'
import { setDeviceCookie } from '../../http/sign-in-answer.ts'
import { emailField, messageSchema, passwordField, tokenField } from '../../http/wire.ts'
import { requestPasswordReset } from './request-reset.ts'
import { resetPassword } from './reset-password.ts'
import { passwordResetAnswers } from './words/index.ts'

export const passwordResetRoutes = [
  route({
    method: 'POST',
    path: '/api/v1/auth/forgot-password',
    surface: 'json',
    tag: 'Authentication',
    summary: 'Request a password reset link',
    description: 'The response is the same for every address.',
    access: { by: ['anyone'] },
    origin: 'cookie',
    limit: 'mailRequest',
    body: z.strictObject({ email: emailField }),
    answers: { 200: { description: 'The request was accepted', schema: messageSchema } },
    errors: [],
    async handle(deps, { actor, body }) {
      await requestPasswordReset(deps, actor, body)
      return { status: 200, json: { message: passwordResetAnswers.requested } }
    },
  }),

  route({
    method: 'POST',
    path: '/api/v1/auth/reset-password',
    surface: 'json',
    tag: 'Authentication',
    summary: 'Set a new password with a mailed link',
    description:
      'Ends every session and does not sign the user in. A browser gets a device cookie, so that its sign-ins are counted separately from those of strangers.',
    access: { by: ['anyone'] },
    origin: 'cookie',
    limit: 'token',
    body: z.strictObject({ token: tokenField, new_password: passwordField }),
    answers: { 200: { description: 'The new password is set', schema: messageSchema } },
    errors: ['token_invalid', 'overloaded'],
    statuses: { token_invalid: 400 },
    async handle(deps, { actor, body, cookies, header }) {
      const { deviceCookie } = await resetPassword(deps, actor, { token: body.token, newPassword: body.new_password })
      const isBrowser = header('sec-fetch-site') !== undefined // other clients do not store cookies
      const device = isBrowser ? [setDeviceCookie(cookies, deviceCookie)] : []
      return { status: 200, cookies: device, json: { message: passwordResetAnswers.done } }
    },
  }),
]
