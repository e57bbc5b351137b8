import type { Metadata, SharpOptions } from 'sharp'
import type { ImageKind } from './image-kind.ts'

/** One image to decode. */
export interface DecoderJob {
  readonly bytes: Uint8Array
  readonly kind: ImageKind
}

/** The picture in the two sizes, or why there is none. */
export type DecoderAnswer =
  | { readonly images: readonly [small: Uint8Array, large: Uint8Array] }
  | { readonly failed: 'image_invalid' | 'image_too_large' | 'internal' }

const maxPixels = 40_000_000
/** Of an animation the first frame is taken; one with more frames than people make is an attack on the decoder. */
const maxFrames = 1_000

/** Decodes an image and encodes it anew, without anything else that the file held. No image makes it throw. */
export async function decodeImage({ bytes, kind }: DecoderJob): Promise<DecoderAnswer> {
  const sharp = await loadSharp()
  if (!sharp) return { failed: 'internal' }

  const options: SharpOptions = { failOn: 'error', pages: 1, limitInputPixels: maxPixels }
  try {
    const about = await sharp(bytes, { ...options, limitInputPixels: false }).metadata()
    if (!agrees(about, kind)) return { failed: 'image_invalid' }
    if (about.width * about.height > maxPixels) return { failed: 'image_too_large' }

    // Decoded once, to pixels: of the file nothing else is left for the encoder.
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

/** Undefined where the platform has no build of it. */
function loadSharp() {
  return import('sharp').then(bounded, () => undefined)
}

function bounded({ default: sharp }: typeof import('sharp')) {
  sharp.concurrency(1)
  sharp.cache(false)
  return sharp
}

/** The decoder's own idea of the file must be ours. */
function agrees({ format, compression, pages = 1 }: Metadata, kind: ImageKind): boolean {
  const decodedAs = format === 'heif' && compression === 'av1' ? 'avif' : format
  return decodedAs === kind && pages <= maxFrames
}
