import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32, deflateSync } from 'node:zlib'
import sharp from 'sharp'
import type { Ask, TestApp, Told } from './app.ts'

/** Returns a picture of one colour. */
export function plain(width: number, height: number, colour = { r: 200, g: 30, b: 40 }) {
  return sharp({ create: { width, height, channels: 3, background: colour }, limitInputPixels: false })
}

/** Returns raw pixels, computed from their positions. */
export function painted(width: number, height: number, paint: (x: number, y: number) => readonly number[]) {
  const channels = paint(0, 0).length as 3 | 4
  const pixels = Array.from({ length: width * height }, (_, at) => paint(at % width, Math.floor(at / width)))
  return sharp(Buffer.from(pixels.flat()), { raw: { width, height, channels } })
}

/** Returns a PNG chunk. */
export function pngChunk(type: string, data: Uint8Array): Buffer {
  const named = Buffer.concat([Buffer.from(type, 'latin1'), data])
  return Buffer.concat([uint32(data.length), named, uint32(crc32(named))])
}

/** Returns a PNG that claims a size, in 8-bit RGB, with the given chunks after its header. */
export function png(width: number, height: number, chunks: readonly Uint8Array[]): Buffer {
  const header = Buffer.concat([uint32(width), uint32(height), Buffer.from([8, 2, 0, 0, 0])])
  const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1')
  return Buffer.concat([signature, pngChunk('IHDR', header), ...chunks, pngChunk('IEND', Buffer.alloc(0))])
}

/** Returns the pixels of a black PNG in the form that `png` takes. */
export function blackRows(width: number, height: number): Buffer {
  return pngChunk('IDAT', deflateSync(Buffer.alloc((width * 3 + 1) * height)))
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

export interface FilePart {
  readonly name?: string
  readonly filename?: string
  readonly type?: string
  readonly content: Uint8Array | string
}

/** Builds a multipart/form-data body by hand, so that it may be invalid. */
export function multipart(parts: readonly FilePart[], boundary = 'a-boundary-of-the-tests') {
  const all = parts.flatMap(({ name = 'avatar', filename = 'me.png', type = 'image/png', content }) => [
    Buffer.from(
      `--${boundary}\r\nContent-Disposition: form-data; name="${name}"; filename="${filename}"\r\nContent-Type: ${type}\r\n\r\n`,
    ),
    Buffer.from(content),
    Buffer.from('\r\n'),
  ])
  const body = Buffer.concat([...all, Buffer.from(`--${boundary}--\r\n`)])
  return { body, type: `multipart/form-data; boundary=${boundary}` }
}

/** Uploads a picture as a user. */
export function upload(app: TestApp, ask: Ask, content: Uint8Array, part: Partial<FilePart> = {}): Promise<Told> {
  const { body, type } = multipart([{ ...part, content }])
  return app.ask('PUT', '/me/avatar', body, { ...ask, headers: { ...ask.headers, 'content-type': type } })
}

/** Creates a data folder for a test, and lists the files in its avatar folder. */
export function dataFolder() {
  const folder = mkdtempSync(join(tmpdir(), 'gatelodge-avatars-'))
  return {
    folder,
    env: { GATELODGE_DATA_DIR: folder },
    files(): string[] {
      try {
        return readdirSync(join(folder, 'avatars')).sort()
      } catch {
        return [] // nothing has been stored yet
      }
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  }
}
