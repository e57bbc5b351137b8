import { z } from 'zod'
import { route } from '../../http/route.ts'
import { messageSchema, tokenField } from '../../http/wire.ts'
import { undoSecurityChange } from './undo-security-change.ts'
import { recoveryAnswers } from './words/index.ts'

export const recoveryRoutes = [
  route({
    method: 'POST',
    path: '/api/v1/auth/security/undo',
    surface: 'json',
    tag: 'Authentication',
    summary: 'Report "this wasn\'t me" with the link in a security notice',
    description:
      'Puts the account into recovery: ends every session, disables the password, restores the email address that got the notice, and revokes API tokens added since. A reset link, mailed to that address, is the only way to open the account again.',
    access: { by: ['anyone'] },
    origin: 'cookie',
    limit: 'token',
    body: z.strictObject({ token: tokenField }),
    answers: { 200: { description: 'The account is in recovery', schema: messageSchema } },
    errors: ['token_invalid'],
    statuses: { token_invalid: 400 },
    async handle(deps, { actor, body }) {
      await undoSecurityChange(deps, actor, body)
      return { status: 200, json: { message: recoveryAnswers.started } }
    },
  }),
]
