import { join } from 'node:path'
import type { Config } from '../../config.ts'
import { folderStorage } from './folder-storage.ts'
import type { AvatarName } from './names.ts'
import type { AvatarImages, AvatarSize } from './render.ts'

/** Stores the bytes of avatars. Every method fails with service_unavailable if the storage cannot be reached. */
export interface AvatarStorage {
  put(name: AvatarName, images: AvatarImages): Promise<void>
  /** Returns undefined if there is no such file. */
  get(name: AvatarName, size: AvatarSize): Promise<Uint8Array<ArrayBuffer> | undefined>
  /** Removes every size. Missing files count as removed. */
  remove(name: AvatarName): Promise<void>
}

/** Opens the configured storage. Does not connect to it yet. */
export async function openAvatarStorage(
  config: Pick<Config, 'avatars' | 'avatarsKeyId' | 'avatarsSecretKey' | 'dataDir'>,
): Promise<AvatarStorage> {
  const { avatars, avatarsKeyId: keyId, avatarsSecretKey: secretKey } = config
  if (avatars.kind === 'folder') return folderStorage(join(config.dataDir, 'avatars'))

  const { s3Storage } = await import('./s3-storage.ts')
  return s3Storage(avatars, { keyId: keyId ?? '', secretKey: secretKey ?? '' })
}
