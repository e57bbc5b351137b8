import { createHash } from 'node:crypto'
import type { Random } from '../../kernel/random.ts'
import { type AvatarImages, type AvatarSize, avatarSizes } from './render.ts'

declare const brand: unique symbol
/** The name of an uploaded picture: 32 hex digits, so it cannot be used to build a path. */
export type AvatarName = string & { readonly [brand]: 'AvatarName' }

/**
 * Creates a unique name for these bytes. With the hash alone, two uploads of the same picture would share files, so one owner could remove the other's, and
 * anyone could find out who uses a picture that they have.
 */
export function nameAvatar(random: Random, images: AvatarImages): AvatarName {
  const hash = createHash('sha256').update(random.bytes(16)).update(images[320])
  return hash.digest('hex').slice(0, 32) as AvatarName
}

/** Returns the file name of a size, as the storages and the public path use it. */
export function avatarFile(name: AvatarName, size: AvatarSize): string {
  return `${name}-${size}.webp`
}

/** Parses what `avatarFile` wrote. Returns undefined for any other text. */
export function parseAvatarFile(file: string): { name: AvatarName; size: AvatarSize } | undefined {
  const [, name, digits] = /^([0-9a-f]{32})-(\d{2,3})\.webp$/.exec(file) ?? []
  const size = avatarSizes.find((known) => String(known) === digits)
  return name !== undefined && size !== undefined ? { name: name as AvatarName, size } : undefined
}
