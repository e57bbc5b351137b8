import { z } from 'zod'
import { linkTo } from '../../domain/links.ts'
import { route } from '../../http/route.ts'
import { emailField, messageSchema, passwordField, tokenField, userSchema, userToWire } from '../../http/wire.ts'
import { resendVerification } from './resend-verification.ts'
import { verifyEmail } from './verify-email.ts'
import { emailVerificationAnswers } from './words/index.ts'

export const emailVerificationRoutes = [
  route({
    method: 'POST',
    path: '/api/v1/auth/verify-email',
    surface: 'json',
    tag: 'Authentication',
    summary: 'Confirm an email address with its mailed link',
    description:
      'Requires the password chosen at sign-up if the request comes from a browser other than the one that signed up.',
    access: { by: ['anyone', 'session'] },
    ownAccountsOnly: true,
    origin: 'cookie',
    limit: 'token',
    body: z.strictObject({ token: tokenField, password: passwordField.optional() }),
    answers: {
      200: {
        description: 'The email address is confirmed',
        schema: z.strictObject({ message: z.string(), user: userSchema }),
      },
    },
    errors: ['token_invalid', 'password_required', 'incorrect_password', 'overloaded'],
    statuses: { token_invalid: 400 },
    async handle(deps, { actor, body, cookies }) {
      const user = await verifyEmail(deps, actor, body)
      return {
        status: 200,
        cookies: [cookies.signUp.clear()],
        json: { message: emailVerificationAnswers.verified, user: userToWire(user) },
      }
    },
  }),

  route({
    method: 'GET',
    path: '/api/v1/auth/verify-email',
    surface: 'json',
    tag: 'Authentication',
    summary: 'Redirect to the page that confirms an email address',
    description: 'Changes nothing, so that link scanners cannot use up the link.',
    access: { by: ['anyone'] },
    ownAccountsOnly: true,
    origin: 'read',
    limit: 'none',
    query: z.strictObject({ token: tokenField }),
    answers: { 303: { description: 'Redirects to the page with the token', schema: null } },
    errors: ['input_invalid'],
    handle(deps, { query }) {
      return { status: 303, location: linkTo(deps.config, '/verify-email', { token: query.token }) }
    },
  }),

  route({
    method: 'POST',
    path: '/api/v1/auth/verify-email/resend',
    surface: 'json',
    tag: 'Authentication',
    summary: 'Mail a new verification link',
    description: 'The response is the same for every address, unless enumeration is `explicit`.',
    access: { by: ['anyone'] },
    ownAccountsOnly: true,
    origin: 'cookie',
    limit: 'mailRequest',
    body: z.strictObject({ email: emailField }),
    answers: { 202: { description: 'The request was accepted', schema: messageSchema } },
    errors: ['user_not_found'],
    async handle(deps, { actor, body }) {
      await resendVerification(deps, actor, body)
      return { status: 202, json: { message: emailVerificationAnswers.resent } }
    },
  }),
]
