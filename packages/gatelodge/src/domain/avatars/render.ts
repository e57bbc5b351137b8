import { second } from '../../kernel/clock.ts'
import { AuthError } from '../../kernel/errors.ts'
import type { DecoderJob } from './decode.ts'
import { createDecoderProcess } from './decoder-process.ts'
import { countScans, imageKindOf } from './image-kind.ts'

/** The side lengths of the stored squares, in pixels. */
export const avatarSizes = [96, 320] as const
export type AvatarSize = (typeof avatarSizes)[number]

/** The same picture in every size, as WebP. */
export type AvatarImages = Readonly<Record<AvatarSize, Uint8Array<ArrayBuffer>>>

/** The largest accepted file, in bytes. */
export const maxImageBytes = 5 * 1024 * 1024
/** The most scans of a JPEG. Encoders write about ten. */
const maxScans = 100

export interface AvatarRendererOptions {
  /** The most images that may wait. */
  readonly maxWaiting?: number
  /** How long one image may take, in ms. */
  readonly patience?: number
  /** How long the decoding process waits without an image before it stops, in ms. */
  readonly idle?: number
}

/** Turns uploaded images into avatars. */
export interface AvatarRenderer {
  /**
   * Decodes an image and re-encodes it upright and square, without any metadata.
   * @throws image_invalid, image_too_large, overloaded, internal (no decoder on this machine)
   */
  render(bytes: Uint8Array): Promise<AvatarImages>
  /** Finishes the images it has and stops the decoding process. */
  close(): Promise<void>
}

/** Creates a renderer that handles one image at a time in a separate process, with a short queue, so that memory and processor time are bounded. */
export function createAvatarRenderer(options: AvatarRendererOptions = {}): AvatarRenderer {
  const { maxWaiting = 16, patience = 15 * second, idle = 30 * second } = options
  const decoder = createDecoderProcess({ patience, idle })
  let unfinished = 0
  let last: Promise<unknown> = Promise.resolve()

  async function decode(job: DecoderJob): Promise<AvatarImages> {
    const answer = await decoder.decode(job)
    if ('failed' in answer) throw new AuthError(answer.failed)
    return { 96: new Uint8Array(answer.images[0]), 320: new Uint8Array(answer.images[1]) }
  }

  return {
    async render(bytes) {
      if (bytes.length > maxImageBytes) throw new AuthError('image_too_large')
      const kind = imageKindOf(bytes)
      if (!kind || (kind === 'jpeg' && countScans(bytes) > maxScans)) throw new AuthError('image_invalid')
      if (unfinished > maxWaiting) throw busy()

      unfinished += 1
      const rendered = last
        .then(() => decode({ bytes, kind }))
        .finally(() => {
          unfinished -= 1
        })
      last = rendered.catch(() => {})
      return rendered
    },

    async close() {
      await last
      decoder.end()
    },
  }
}

function busy(): AuthError {
  return new AuthError('overloaded', {
    retryAfter: 5,
    detail: 'Too many images are being processed right now; try again',
  })
}
