import { z } from 'zod'
import { parseAvatarFile } from '../../domain/avatars/names.ts'
import { maxImageBytes } from '../../domain/avatars/render.ts'
import { type UploadSpec, uploadPatience } from '../../http/multipart.ts'
import { route } from '../../http/route.ts'
import { picturePolicy } from '../../http/security-headers.ts'
import { userSchema, userToWire } from '../../http/wire.ts'
import { AuthError } from '../../kernel/errors.ts'
import { changeAvatar, removeAvatar } from './change-avatar.ts'

/** The name of a file is derived from its content, and its URL is the only key to it. */
const imageHeaders = {
  'content-type': 'image/webp',
  'cache-control': 'public, max-age=31536000, immutable',
  'content-security-policy': picturePolicy,
  // Other sites of the operator show the picture of the signed-in user.
  'cross-origin-resource-policy': 'cross-origin',
}

/** How a picture is uploaded. */
export const avatarUpload: UploadSpec = {
  field: 'avatar',
  maxBytes: maxImageBytes,
  tooLarge: 'image_too_large',
  types: ['image/png', 'image/jpeg', 'image/webp', 'image/avif'],
  patience: uploadPatience,
}

export const avatarRoutes = [
  route<'session', Uint8Array>({
    method: 'PUT',
    path: '/api/v1/auth/me/avatar',
    surface: 'json',
    tag: 'Authentication',
    summary: 'Set your picture',
    description:
      'PNG, JPEG, WebP or AVIF, detected by content, up to 5 MiB and 40 megapixels. It is cropped to its central square and stored as WebP of 320 and 96 pixels, ' +
      'without any metadata. `avatar_url` is the path of the larger one; the smaller one has `-96.webp` instead of `-320.webp`.',
    access: { by: ['session'] },
    origin: 'cookie',
    limit: 'upload',
    upload: avatarUpload,
    answers: { 200: { description: 'The updated account', schema: userSchema } },
    errors: ['image_invalid'],
    async handle(deps, { actor, body, me }) {
      return { status: 200, json: userToWire(await changeAvatar(deps, actor, me, body)) }
    },
  }),

  route({
    method: 'DELETE',
    path: '/api/v1/auth/me/avatar',
    surface: 'json',
    tag: 'Authentication',
    summary: 'Remove your picture',
    access: { by: ['session'] },
    origin: 'cookie',
    limit: 'change',
    answers: { 200: { description: 'The updated account', schema: userSchema } },
    errors: [],
    async handle(deps, { actor, me }) {
      return { status: 200, json: userToWire(await removeAvatar(deps, actor, me)) }
    },
  }),

  route({
    method: 'GET',
    path: '/avatars/:file',
    surface: 'json',
    tag: 'Operations',
    summary: 'Get the picture at `avatar_url`',
    access: { by: ['anyone'] },
    origin: 'read',
    limit: 'none',
    params: z.strictObject({ file: z.string() }),
    answers: { 200: { description: 'The picture', schema: 'webp' } },
    errors: ['not_found', 'service_unavailable'],
    async handle(deps, { params }) {
      const asked = parseAvatarFile(params.file)
      const bytes = asked && (await deps.avatarStorage.get(asked.name, asked.size))
      if (!bytes) throw new AuthError('not_found')
      return { status: 200, bytes, headers: imageHeaders }
    },
  }),
]
