import { createHash } from 'node:crypto'
import type { Random } from '../../kernel/random.ts'
import { type AvatarImages, type AvatarSize, avatarSizes } from './render.ts'

declare const brand: unique symbol
/** The name of one uploaded picture: 32 hex digits, so no path can be built with it. */
export type AvatarName = string & { readonly [brand]: 'AvatarName' }

/**
 * A name for these bytes that nobody else gets: with the hash alone, two uploads of one picture would share files, of which one owner removes
 * the other's, and anybody could tell who uses a picture that they have.
 */
export function nameAvatar(random: Random, images: AvatarImages): AvatarName {
  const hash = createHash('sha256').update(random.bytes(16)).update(images[320])
  return hash.digest('hex').slice(0, 32) as AvatarName
}

/** The file of a size, as the storages and the public path name it. */
export function avatarFile(name: AvatarName, size: AvatarSize): string {
  return `${name}-${size}.webp`
}

/** What `avatarFile` wrote, or undefined for any other text. */
export function parseAvatarFile(file: string): { name: AvatarName; size: AvatarSize } | undefined {
  const [, name, digits] = /^([0-9a-f]{32})-(\d{2,3})\.webp$/.exec(file) ?? []
  const size = avatarSizes.find((known) => String(known) === digits)
  return name !== undefined && size !== undefined ? { name: name as AvatarName, size } : undefined
}
