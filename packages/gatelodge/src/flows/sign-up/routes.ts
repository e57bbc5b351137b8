import { z } from 'zod'
import { route } from '../../http/route.ts'
import { signInAnswer } from '../../http/sign-in-answer.ts'
import { emailField, nameField, passwordField, tokenResponseSchema, usernameField } from '../../http/wire.ts'
import { signUp } from './sign-up.ts'
import { signUpCookies } from './sign-up-cookie.ts'
import { isUsernameAvailable } from './username-available.ts'
import { verificationRequired } from './words/index.ts'

export const signUpRoutes = [
  route({
    method: 'POST',
    path: '/api/v1/auth/signup',
    surface: 'json',
    tag: 'Authentication',
    summary: 'Sign up',
    description:
      'In registration mode `verify`, a link is mailed, and no account exists until it is confirmed. In mode `instant`, the account is created immediately, and the response is a TokenResponse.',
    access: { by: ['anyone'] },
    origin: 'cookie',
    limit: 'signUp',
    body: z.strictObject({
      email: emailField,
      password: passwordField,
      username: usernameField.optional(),
      first_name: nameField.optional(),
      last_name: nameField.optional(),
      fullname: nameField.optional(),
    }),
    answers: {
      201: {
        description: 'A link was mailed or, in mode `instant`, the account was created',
        schema: z.union([
          z
            .strictObject({ status: z.literal('verification_required'), message: z.string() })
            .meta({ id: 'VerificationRequired' }),
          tokenResponseSchema,
        ]),
      },
    },
    errors: ['registration_closed', 'username_taken', 'email_taken', 'overloaded'],
    async handle(deps, { actor, body, cookies }) {
      const result = await signUp(deps, actor, {
        email: body.email,
        password: body.password,
        username: body.username,
        firstName: body.first_name,
        lastName: body.last_name,
        fullname: body.fullname,
      })
      const set = signUpCookies(deps, cookies, result)
      if (result.status === 'verification_required') {
        return {
          status: 201,
          cookies: set,
          json: { status: result.status, message: verificationRequired[deps.config.enumeration] },
        }
      }
      const answer = signInAnswer(cookies, result.outcome, 201)
      return { ...answer, cookies: [...(answer.cookies ?? []), ...set] }
    },
  }),

  route({
    method: 'GET',
    path: '/api/v1/auth/username-available',
    surface: 'json',
    tag: 'Authentication',
    summary: 'Check whether a username is available',
    description:
      'A username that a pending sign-up reserves is available to the browser that signed up, which has its cookie, and taken for all others until the sign-up expires.',
    access: { by: ['anyone'] },
    ownAccountsOnly: true,
    origin: 'read',
    limit: 'lookUp',
    query: z.strictObject({ username: usernameField }),
    answers: {
      200: { description: 'Whether the username is available', schema: z.strictObject({ available: z.boolean() }) },
    },
    errors: ['not_found', 'input_invalid'],
    async handle(deps, { actor, query }) {
      return { status: 200, json: { available: await isUsernameAvailable(deps, actor, query) } }
    },
  }),
]
