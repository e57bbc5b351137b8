import { S3mini } from 's3mini'
import type { Config } from '../../config.ts'
import { second } from '../../kernel/clock.ts'
import { AuthError } from '../../kernel/errors.ts'
import { type AvatarName, avatarFile } from './names.ts'
import { type AvatarSize, avatarSizes } from './render.ts'
import type { AvatarStorage } from './storage.ts'

/** How long one request to the store may take, in ms. */
const patience = 10 * second

export interface S3Credentials {
  readonly keyId: string
  readonly secretKey: string
}

/** Creates a storage that keeps avatars as objects of an S3-compatible bucket, addressed by path. */
export function s3Storage(
  place: Extract<Config['avatars'], { kind: 's3' }>,
  { keyId, secretKey }: S3Credentials,
): AvatarStorage {
  const client = new S3mini({
    endpoint: `${place.endpoint}/${place.bucket}`,
    region: place.region,
    accessKeyId: keyId,
    secretAccessKey: secretKey,
    requestAbortTimeout: patience,
    fetch: (input, init) => fetch(input, { ...init, redirect: 'error' }), // talk only to the configured store, never to where it redirects
  })
  const keyOf = (name: AvatarName, size: AvatarSize) => `${place.prefix}${avatarFile(name, size)}`

  return {
    put: (name, images) =>
      orUnavailable(async () => {
        for (const size of avatarSizes) await client.putObject(keyOf(name, size), images[size], 'image/webp')
      }),

    get: (name, size) =>
      orUnavailable(async () => {
        const bytes = await client.getObjectArrayBuffer(keyOf(name, size))
        return bytes === null ? undefined : new Uint8Array(bytes)
      }),

    remove: (name) =>
      orUnavailable(async () => {
        for (const size of avatarSizes) await client.deleteObject(keyOf(name, size))
      }),
  }
}

async function orUnavailable<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    throw new AuthError('service_unavailable', { cause })
  }
}
