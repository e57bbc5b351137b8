import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** The part of the S3-compatible server that we use; it has no types. */
interface Server {
  run(): Promise<AddressInfo>
  close(): Promise<void>
}
type ServerClass = new (options: {
  readonly address: string
  readonly port: number
  readonly silent: boolean
  readonly directory: string
  readonly configureBuckets: readonly { readonly name: string }[]
}) => Server

const S3rver = createRequire(import.meta.url)('@20minutes/s3rver') as ServerClass

/** The one key pair that the server accepts. */
export const s3Keys = { GATELODGE_AVATARS_KEY_ID: 'S3RVER', GATELODGE_AVATARS_SECRET_KEY: 'S3RVER' }

/** Starts an S3-compatible server on loopback that checks signatures and has one bucket. */
export async function startS3() {
  const directory = mkdtempSync(join(tmpdir(), 'gatelodge-s3-'))
  let port = 0
  const start = async () => {
    const options = { address: '127.0.0.1', silent: true, directory, configureBuckets: [{ name: 'pictures' }] }
    const server = new S3rver({ ...options, port })
    port = (await server.run()).port
    return server
  }
  let server = await start()

  return {
    env: {
      GATELODGE_AVATARS: `s3://pictures/of/people?endpoint=http://127.0.0.1:${port}&region=us-east-1`,
      ...s3Keys,
    },
    /** Returns the keys of the stored objects. */
    files: () =>
      readdirSync(join(directory, 'pictures'), { recursive: true, encoding: 'utf8' })
        .filter((file) => file.endsWith('._S3rver_object'))
        .map((file) => file.replace(/\._S3rver_object$/, ''))
        .sort(),
    /** Stops the server; its objects stay. */
    away: () => server.close(),
    async back() {
      server = await start()
    },
    async [Symbol.asyncDispose]() {
      await server.close()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}
