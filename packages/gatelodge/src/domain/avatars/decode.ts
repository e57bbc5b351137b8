import type { Metadata, SharpOptions } from 'sharp'
import type { ImageKind } from './image-kind.ts'

/** One image to decode. */
export interface DecoderJob {
  readonly bytes: Uint8Array
  readonly kind: ImageKind
}

/** The picture in both sizes, or the reason why there is none. */
export type DecoderAnswer =
  | { readonly images: readonly [small: Uint8Array, large: Uint8Array] }
  | { readonly failed: 'image_invalid' | 'image_too_large' | 'internal' }

const maxPixels = 40_000_000
/** The most frames of an animation, of which only the first is used. More than real animations have indicate an attack on the decoder. */
const maxFrames = 1_000

/** Decodes an image and re-encodes it without anything else that the file contained. Does not throw for any input. */
export async function decodeImage({ bytes, kind }: DecoderJob): Promise<DecoderAnswer> {
  const sharp = await loadSharp()
  if (!sharp) return { failed: 'internal' }

  const options: SharpOptions = { failOn: 'error', pages: 1, limitInputPixels: maxPixels }
  try {
    const about = await sharp(bytes, { ...options, limitInputPixels: false }).metadata()
    if (!agrees(about, kind)) return { failed: 'image_invalid' }
    if (about.width * about.height > maxPixels) return { failed: 'image_too_large' }

    // Decoded to pixels first, so that nothing else of the file reaches the encoder.
    const { data, info } = await sharp(bytes, options)
      .autoOrient()
      .resize(320, 320, { fit: 'cover' })
      .toColourspace('srgb')
      .raw()
      .toBuffer({ resolveWithObject: true })
    const encode = (size: number) => sharp(data, { raw: info }).resize(size, size).webp({ quality: 82 }).toBuffer()
    return { images: [await encode(96), await encode(320)] }
  } catch {
    return { failed: 'image_invalid' }
  }
}

/** Loads the decoder. Returns undefined if it has no build for the platform. */
function loadSharp() {
  return import('sharp').then(bounded, () => undefined)
}

function bounded({ default: sharp }: typeof import('sharp')) {
  sharp.concurrency(1)
  sharp.cache(false)
  return sharp
}

/** Returns whether the decoder identified the file as the same kind as we did. */
function agrees({ format, compression, pages = 1 }: Metadata, kind: ImageKind): boolean {
  const decodedAs = format === 'heif' && compression === 'av1' ? 'avif' : format
  return decodedAs === kind && pages <= maxFrames
}
