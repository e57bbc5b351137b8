/** The supported image formats. */
export type ImageKind = 'png' | 'jpeg' | 'webp' | 'avif'

/** Returns the kind of an image from its first bytes; a name or declared type is never used. Undefined for everything else: SVG, GIF, TIFF, HEIC, PDF ... */
export function imageKindOf(bytes: Uint8Array): ImageKind | undefined {
  const start = Buffer.from(bytes.subarray(0, 16)).toString('latin1')
  if (start.startsWith('\x89PNG\r\n\x1a\n')) return 'png'
  if (start.startsWith('\xff\xd8\xff')) return 'jpeg'
  if (start.startsWith('RIFF') && start.slice(8, 15) === 'WEBPVP8') return 'webp'
  return start.slice(4, 12) === 'ftypavif' ? 'avif' : undefined
}

/**
 * Counts the scans of a JPEG. A progressive JPEG may have thousands, each covering all of its blocks: less than a megabyte kept the decoder busy for seven
 * seconds. Stops at the end of the image, so appended data does not count.
 */
export function countScans(jpeg: Uint8Array): number {
  let scans = 0
  let at = 2
  while (at + 3 < jpeg.length) {
    const marker = jpeg[at] === 0xff ? jpeg[at + 1] : undefined
    if (marker === undefined || marker === endOfImage) break
    if (marker === startOfScan) scans += 1
    at += lengthOf(marker, jpeg, at)
    if (marker === startOfScan) at = nextMarker(jpeg, at)
  }
  return scans
}

const startOfScan = 0xda
const endOfImage = 0xd9

function lengthOf(marker: number, jpeg: Uint8Array, at: number): number {
  if (marker === 0xff) return 1 // a fill byte
  if (marker === 0x01 || isRestart(marker)) return 2
  return 2 + (jpeg[at + 2] ?? 0) * 256 + (jpeg[at + 3] ?? 0)
}

/** Finds the next marker. In scan data 0xff is followed by 0, or by a restart number. */
function nextMarker(jpeg: Uint8Array, from: number): number {
  let at = jpeg.indexOf(0xff, from)
  while (at >= 0 && (jpeg[at + 1] === 0 || isRestart(jpeg[at + 1]))) at = jpeg.indexOf(0xff, at + 2)
  return at < 0 ? jpeg.length : at
}

function isRestart(marker: number | undefined): boolean {
  return marker !== undefined && marker >= 0xd0 && marker <= 0xd7
}
