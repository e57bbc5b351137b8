import { z } from 'zod'
import { route } from '../../http/route.ts'
import { nameField, textField, usernameField, userSchema, userToWire } from '../../http/wire.ts'
import { updateProfile } from './update-profile.ts'

const profileField = textField(200).nullable().optional()

export const profileRoutes = [
  route({
    method: 'GET',
    path: '/api/v1/auth/me',
    surface: 'json',
    tag: 'Authentication',
    summary: 'Get your account and profile',
    access: { by: ['session', 'api_token'] },
    origin: 'read',
    limit: 'none',
    answers: { 200: { description: 'The account', schema: userSchema } },
    errors: [],
    handle(_deps, { me }) {
      return { status: 200, json: userToWire(me.user) }
    },
  }),

  route({
    method: 'PATCH',
    path: '/api/v1/auth/me',
    surface: 'json',
    tag: 'Authentication',
    summary: 'Update your account and profile',
    description: 'Omitted fields stay as they are; `null` clears a field; `profile` is merged.',
    access: { by: ['session'] },
    origin: 'cookie',
    limit: 'change',
    body: z.strictObject({
      first_name: nameField.optional(),
      last_name: nameField.optional(),
      fullname: nameField.optional(),
      username: usernameField.nullable().optional(),
      profile: z
        .strictObject({
          phone_number: profileField,
          website: profileField,
          github_link: profileField,
          birth_date: profileField,
          locale: profileField,
        })
        .optional(),
    }),
    answers: { 200: { description: 'The updated account', schema: userSchema } },
    errors: ['username_taken'],
    async handle(deps, { actor, body, me }) {
      const user = await updateProfile(deps, actor, me, {
        firstName: body.first_name,
        lastName: body.last_name,
        fullname: body.fullname,
        username: body.username,
        profile: body.profile && {
          phoneNumber: body.profile.phone_number,
          website: body.profile.website,
          githubLink: body.profile.github_link,
          birthDate: body.profile.birth_date,
          locale: body.profile.locale,
        },
      })
      return { status: 200, json: userToWire(user) }
    },
  }),
]
