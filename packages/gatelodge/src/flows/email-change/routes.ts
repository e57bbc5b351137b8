import { z } from 'zod'
import { route } from '../../http/route.ts'
import { emailField, messageSchema, passwordField, tokenField, userSchema, userToWire } from '../../http/wire.ts'
import { confirmEmailChange, undoEmailChange } from './confirm-change.ts'
import { requestEmailChange } from './request-change.ts'
import { emailChangeAnswers } from './words/index.ts'

export const emailChangeRoutes = [
  route({
    method: 'POST',
    path: '/api/v1/auth/change-email',
    surface: 'json',
    tag: 'Authentication',
    summary: 'Request a change of email address',
    description: 'Nothing changes until the link mailed to the new address is confirmed.',
    access: { by: ['session'] },
    ownAccountsOnly: true,
    origin: 'cookie',
    limit: 'password',
    body: z.strictObject({ new_email: emailField, password: passwordField }),
    answers: { 202: { description: 'The request was accepted', schema: messageSchema } },
    errors: ['incorrect_password', 'overloaded'],
    async handle(deps, { actor, body, me }) {
      await requestEmailChange(deps, actor, me, { newEmail: body.new_email, password: body.password })
      return { status: 202, json: { message: emailChangeAnswers.requested } }
    },
  }),

  route({
    method: 'POST',
    path: '/api/v1/auth/change-email/confirm',
    surface: 'json',
    tag: 'Authentication',
    summary: 'Confirm a new email address with its mailed link',
    description:
      'Requires no session, and ends the other sessions. The previous address is notified and can undo the change for 72 hours.',
    access: { by: ['anyone', 'session'] },
    ownAccountsOnly: true,
    origin: 'cookie',
    limit: 'token',
    body: z.strictObject({ token: tokenField }),
    answers: {
      200: {
        description: 'The email address is changed',
        schema: z.strictObject({ message: z.string(), user: userSchema }),
      },
    },
    errors: ['token_invalid'],
    statuses: { token_invalid: 400 },
    async handle(deps, { actor, body }) {
      const user = await confirmEmailChange(deps, actor, body)
      return { status: 200, json: { message: emailChangeAnswers.confirmed, user: userToWire(user) } }
    },
  }),

  route({
    method: 'POST',
    path: '/api/v1/auth/change-email/undo',
    surface: 'json',
    tag: 'Authentication',
    summary: 'Restore the previous email address',
    description: 'Takes the link mailed to that address. Ends every session and mails a password reset link.',
    access: { by: ['anyone'] },
    ownAccountsOnly: true,
    origin: 'cookie',
    limit: 'token',
    body: z.strictObject({ token: tokenField }),
    answers: { 200: { description: 'The previous email address is restored', schema: messageSchema } },
    errors: ['token_invalid'],
    statuses: { token_invalid: 400 },
    async handle(deps, { actor, body }) {
      await undoEmailChange(deps, actor, body)
      return { status: 200, json: { message: emailChangeAnswers.undone } }
    },
  }),
]
