import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { AuthError } from '../../kernel/errors.ts'
import { avatarFile } from './names.ts'
import { avatarSizes } from './render.ts'
import type { AvatarStorage } from './storage.ts'

/** Creates a storage that keeps avatars as files in one folder, which is created with the first file. */
export function folderStorage(folder: string): AvatarStorage {
  return {
    put: (name, images) =>
      orUnavailable(async () => {
        await mkdir(folder, { recursive: true, mode: 0o700 })
        for (const size of avatarSizes) {
          // Written to disk before an account refers to it.
          const options = { flag: 'wx', mode: 0o600, flush: true } as const
          await writeFile(join(folder, avatarFile(name, size)), images[size], options)
        }
      }),

    get: (name, size) =>
      orUnavailable(async () => {
        try {
          return new Uint8Array(await readFile(join(folder, avatarFile(name, size))))
        } catch (error) {
          if (isMissing(error)) return undefined
          throw error
        }
      }),

    remove: (name) =>
      orUnavailable(async () => {
        for (const size of avatarSizes) await rm(join(folder, avatarFile(name, size)), { force: true })
      }),
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}

async function orUnavailable<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    throw new AuthError('service_unavailable', { cause })
  }
}
