import { z } from 'zod'
import { route } from '../../http/route.ts'
import { messageSchema, passwordField } from '../../http/wire.ts'
import { changePassword } from './change-password.ts'
import { passwordChangeAnswers } from './words/index.ts'

export const passwordChangeRoutes = [
  route({
    method: 'POST',
    path: '/api/v1/auth/change-password',
    surface: 'json',
    tag: 'Authentication',
    summary: 'Change your password',
    description: 'Ends your other sessions and sends you a notice by mail.',
    access: { by: ['session'] },
    origin: 'cookie',
    limit: 'password',
    body: z.strictObject({ old_password: passwordField, new_password: passwordField }),
    answers: { 200: { description: 'The password is changed', schema: messageSchema } },
    errors: ['incorrect_password', 'overloaded'],
    async handle(deps, { actor, body, me }) {
      await changePassword(deps, actor, me, { oldPassword: body.old_password, newPassword: body.new_password })
      return { status: 200, json: { message: passwordChangeAnswers.changed } }
    },
  }),
]
