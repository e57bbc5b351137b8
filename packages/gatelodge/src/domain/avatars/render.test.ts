import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { after, test } from 'node:test'
import { deflateSync } from 'node:zlib'
import sharp from 'sharp'
import { blackRows, painted, plain, png, pngChunk, uint32 } from '../../../test/support/images.ts'
import { isAuthError } from '../../kernel/errors.ts'
import { decodeImage } from './decode.ts'
import { createDecoderProcess } from './decoder-process.ts'
import { countScans, imageKindOf } from './image-kind.ts'
import { createAvatarRenderer, maxImageBytes } from './render.ts'

const renderer = createAvatarRenderer()
after(() => renderer.close())

async function refused(bytes: Uint8Array, code: 'image_invalid' | 'image_too_large' = 'image_invalid') {
  await assert.rejects(renderer.render(bytes), (error) => isAuthError(error, code))
}

async function pixelsOf(webp: Uint8Array) {
  const { data, info } = await sharp(webp).removeAlpha().raw().toBuffer({ resolveWithObject: true })
  return {
    width: info.width,
    height: info.height,
    at: (x: number, y: number) => [...data.subarray((y * info.width + x) * 3, (y * info.width + x) * 3 + 3)],
  }
}

function isNear(seen: readonly number[], wanted: readonly number[], by = 12): boolean {
  return seen.every((value, index) => Math.abs(value - (wanted[index] ?? 0)) <= by)
}

test('every allowed format becomes two square WebP of the same picture', async () => {
  const picture = () => plain(300, 200)
  for (const bytes of [
    await picture().png().toBuffer(),
    await picture().png({ palette: true }).toBuffer(),
    await picture().png({ progressive: true }).toBuffer(),
    await picture().toColourspace('rgb16').png().toBuffer(),
    await picture().jpeg().toBuffer(),
    await picture().jpeg({ progressive: true }).toBuffer(),
    await picture().toColourspace('cmyk').jpeg().toBuffer(),
    await picture().withIccProfile('p3').jpeg().toBuffer(),
    await picture().webp().toBuffer(),
    await picture().webp({ lossless: true }).toBuffer(),
    await picture().avif({ effort: 0 }).toBuffer(),
  ]) {
    const images = await renderer.render(bytes)
    for (const size of [96, 320] as const) {
      const about = await sharp(images[size]).metadata()
      assert.deepEqual([about.format, about.width, about.height, about.space], ['webp', size, size, 'srgb'])
      assert.deepEqual([about.exif, about.icc, about.xmp, about.iptc], [undefined, undefined, undefined, undefined])
      const { at } = await pixelsOf(images[size])
      assert.ok(isNear(at(size >> 1, size >> 1), [200, 30, 40], 25), `${at(size >> 1, size >> 1)}`)
    }
  }
})

test('greyscale stays greyscale, and transparency is kept', async () => {
  const grey = await renderer.render(await plain(50, 50).toColourspace('b-w').png().toBuffer())
  const [r = 0, g = 0, b = 0] = (await pixelsOf(grey[96])).at(9, 9)
  assert.ok(Math.abs(r - g) < 3 && Math.abs(g - b) < 3)
  const clear = await renderer.render(
    await painted(40, 40, () => [0, 200, 0, 0])
      .png()
      .toBuffer(),
  )
  assert.equal((await sharp(clear[320]).metadata()).hasAlpha, true)
})

test('the middle is kept, upright: the orientation of the camera is applied before it is dropped', async () => {
  // Left half red, right half blue. Orientation 6 means: rotate 90 degrees clockwise, so red ends up at the top.
  const sideways = await painted(400, 200, (x) => (x < 200 ? [250, 0, 0] : [0, 0, 250]))
    .jpeg({ chromaSubsampling: '4:4:4' })
    .withMetadata({ orientation: 6 })
    .toBuffer()
  const { at } = await pixelsOf((await renderer.render(sideways))[320])
  assert.ok(isNear(at(160, 40), [250, 0, 0]) && isNear(at(160, 280), [0, 0, 250]), `${at(160, 40)} ${at(160, 280)}`)
})

test('place, camera and remarks of a photo are gone', async () => {
  const photo = await plain(64, 64)
    .jpeg()
    .withExif({
      IFD0: { Copyright: 'remark-of-a-person', Make: 'camera-of-a-person' },
      IFD3: { GPSLatitudeRef: 'N', GPSLatitude: '52/1 31/1 0/1', GPSLongitudeRef: 'E', GPSLongitude: '13/1 24/1 0/1' },
    })
    .withXmp('<x:xmpmeta xmlns:x="adobe:ns:meta/"><remark-of-a-person/></x:xmpmeta>')
    .toBuffer()
  assert.match(photo.toString('latin1'), /remark-of-a-person/)
  for (const image of Object.values(await renderer.render(photo))) {
    assert.doesNotMatch(Buffer.from(image).toString('latin1'), /of-a-person|EXIF|Exif|XMP|ICCP|GPS/)
  }
})

test('the smallest and the widest picture become squares', async () => {
  for (const [width, height] of [
    [1, 1],
    [65_535, 1],
    [1, 65_535],
    [40_000, 1_000],
    [40_000_000 / 5_000, 5_000],
  ] as const) {
    const images = await renderer.render(await plain(width, height).png().toBuffer())
    const { at, ...size } = await pixelsOf(images[320])
    assert.deepEqual([size.width, size.height], [320, 320], `${width}x${height}`)
    assert.ok(isNear(at(160, 160), [200, 30, 40]), `${width}x${height}`)
  }
})

test('what is no PNG, JPEG, WebP or AVIF by content is refused, whatever it begins like', async () => {
  const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script>alert(1)</script></svg>'
  const heic = Buffer.concat([uint32(24), Buffer.from('ftypheic\0\0\0\0heicmif1')])
  for (const bytes of [
    Buffer.alloc(0),
    Buffer.from(svg),
    Buffer.from(`<?xml version="1.0"?>${svg}`),
    await plain(9, 9).gif().toBuffer(),
    await plain(9, 9).tiff().toBuffer(),
    heic,
    Buffer.from('%PDF-1.7\n'),
    Buffer.from('BM'),
    Buffer.from('<html><script>alert(1)</script>'),
    Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), Buffer.from(svg)]),
    Buffer.concat([Buffer.from('\xff\xd8\xff', 'latin1'), Buffer.from(svg)]),
    Buffer.from(`RIFF\0\0\0\0WEBPVP8 ${svg}`),
    Buffer.concat([uint32(24), Buffer.from(`ftypavif${svg}`)]),
    Buffer.concat([uint32(24), Buffer.from('ftypavif\0\0\0\0heicmif1')]),
  ]) {
    await refused(bytes)
  }
  assert.equal(imageKindOf(heic), undefined)
})

test('damaged and cut files are refused, in every format', async () => {
  const noisy = () => painted(200, 200, (x, y) => [(x * 7 + y * 13) % 256, (x * y) % 256, (x * 31) % 256])
  for (const whole of [
    await noisy().png().toBuffer(),
    await noisy().jpeg().toBuffer(),
    await noisy().webp().toBuffer(),
    await noisy().avif({ effort: 0 }).toBuffer(),
  ]) {
    for (const part of [0.01, 0.1, 0.5, 0.9]) await refused(whole.subarray(0, Math.ceil(whole.length * part)))
  }
})

test('more than 5 MiB or 40 megapixels is too large, known before anything is decoded', async () => {
  await refused(Buffer.alloc(maxImageBytes + 1), 'image_too_large')
  const claims = png(65_535, 65_535, [pngChunk('IDAT', deflateSync(Buffer.alloc(100)))])
  assert.ok(claims.length < 100)
  await refused(claims, 'image_too_large')
  await refused(await plain(40_001, 1_000).png().toBuffer(), 'image_too_large')
})

test('bombs inside a small picture are not blown up: rows that never end, profiles and remarks of hundreds of megabytes', async () => {
  const bomb = deflateSync(Buffer.alloc(300_000_000))
  const keyword = Buffer.from('a\0\0', 'latin1')
  for (const chunks of [
    [pngChunk('IDAT', bomb)],
    [pngChunk('iCCP', Buffer.concat([keyword, bomb])), blackRows(100, 100)],
    [...Array.from({ length: 9 }, () => pngChunk('zTXt', Buffer.concat([keyword, bomb]))), blackRows(100, 100)],
  ]) {
    const { at } = await pixelsOf((await renderer.render(png(100, 100, chunks)))[96])
    assert.deepEqual(at(48, 48), [0, 0, 0])
  }
})

test('only the first frame of an animation is used; ten thousand frames are rejected or never read', async () => {
  const frames = (count: number) => {
    const pixels = Buffer.from(
      Array.from({ length: count }, (_, frame) => Array.from({ length: 64 }, () => [frame % 256, 9, frame >> 8])).flat(
        2,
      ),
    )
    return sharp(pixels, { raw: { width: 8, height: 8 * count, channels: 3, pageHeight: 8 }, limitInputPixels: false })
  }
  const few = await renderer.render(await frames(3).webp({ loop: 0, lossless: true }).toBuffer())
  assert.equal((await sharp(few[320]).metadata()).pages, undefined)
  assert.ok(isNear((await pixelsOf(few[320])).at(9, 9), [0, 9, 0]))
  await refused(await frames(10_000).webp({ loop: 0, effort: 0 }).toBuffer())
  await refused(await frames(10_000).gif({ effort: 1 }).toBuffer())

  const control = (sequence: number) => {
    const frame = [uint32(sequence), uint32(9), uint32(9), uint32(0), uint32(0), Buffer.from([0, 1, 0, 10, 0, 0])]
    return pngChunk('fcTL', Buffer.concat(frame))
  }
  const rows = blackRows(9, 9)
  const later = Array.from({ length: 9_999 }, (_, at) => [
    control(2 * at + 1),
    pngChunk('fdAT', Buffer.concat([uint32(2 * at + 2), rows.subarray(8, -4)])),
  ])
  const apng = png(9, 9, [
    pngChunk('acTL', Buffer.concat([uint32(10_000), uint32(0)])),
    control(0),
    rows,
    ...later.flat(),
  ])
  const started = performance.now()
  assert.ok((await renderer.render(apng))[96].length > 0)
  assert.ok(performance.now() - started < 2_000)
})

test('a JPEG of a thousand scans, which would keep the decoder busy for many seconds, is refused unread', async () => {
  const bomb = scanBomb(6_000, 6_000)
  assert.ok(bomb.length < 1_000_000)
  assert.ok(countScans(bomb) > 800)
  const started = performance.now()
  await refused(bomb)
  assert.ok(performance.now() - started < 100)

  const photo = await plain(99, 99).jpeg({ progressive: true }).toBuffer()
  assert.ok(countScans(photo) >= 6 && countScans(photo) <= 12)
  // Data that phones append to a photo is not part of it.
  assert.equal(countScans(Buffer.concat([photo, bomb])), countScans(photo))
  assert.equal(countScans(photo.subarray(0, -2)), countScans(photo))
  assert.equal(countScans(Buffer.concat([photo.subarray(0, 2), Buffer.from('<p>')])), 0)
  assert.equal(countScans(Buffer.from('ffd8ffff01ffda00020aff00ffd010ffd9', 'hex')), 1)
})

test('images are rendered one at a time: a short queue waits, and further callers are told to retry', async () => {
  const narrow = createAvatarRenderer({ maxWaiting: 2 })
  const bytes = await plain(50, 50).png().toBuffer()
  const told = await Promise.allSettled(Array.from({ length: 5 }, () => narrow.render(bytes)))
  assert.deepEqual(
    told.map((one) => (one.status === 'fulfilled' ? 'made' : `${one.reason.code} ${one.reason.retryAfter}`)),
    ['made', 'made', 'made', 'overloaded 5', 'overloaded 5'],
  )
  await Promise.allSettled([narrow.render(Buffer.alloc(9)), narrow.render(bytes.subarray(0, 40))])
  assert.ok((await narrow.render(bytes))[96].length > 0)
  await narrow.close()
})

test('an image that takes too long, or kills its decoder, is invalid, and the next one gets a new decoder', async () => {
  const bytes = await plain(6_000, 6_000).png().toBuffer()
  const hasty = createAvatarRenderer({ patience: 1 })
  await assert.rejects(hasty.render(bytes), (error) => isAuthError(error, 'image_invalid'))
  await hasty.close()

  const small = await plain(9, 9).png().toBuffer()
  const brief = createAvatarRenderer({ idle: 1 })
  for (let round = 0; round < 3; round += 1) {
    assert.ok((await brief.render(small))[96].length > 0)
    await new Promise((resolve) => setTimeout(resolve, 20)) // long enough to become idle; the test also passes if it has not
  }
  await brief.close()
})

test('an idle decoding process keeps ours from nothing', async () => {
  const code = `
    const { createAvatarRenderer } = await import(${JSON.stringify(import.meta.resolve('./render.ts'))})
    const sharp = (await import('sharp')).default
    const png = await sharp({ create: { width: 9, height: 9, channels: 3, background: 'red' } }).png().toBuffer()
    await createAvatarRenderer().render(png)
    process.stdout.write('made')
  `
  const { status, stdout } = spawnSync(process.execPath, ['--input-type=module', '--eval', code], {
    encoding: 'utf8',
    cwd: import.meta.dirname,
    timeout: 20_000, // an idle decoder must not keep the process alive for its 30 seconds
  })
  assert.deepEqual([status, stdout], [0, 'made'])
})

/** Builds a greyscale progressive JPEG in which every scan is legal: each of 63 coefficients comes in 14 scans, bit by bit, and all are zero. */
function scanBomb(width: number, height: number): Buffer {
  const size = Buffer.from([8, height >> 8, height & 255, width >> 8, width & 255, 1, 1, 0x11, 0])
  const blocks = Math.ceil(width / 8) * Math.ceil(height / 8)
  // Huffman tables of one symbol each: a DC difference of 0, and a run of 16,384 to 32,767 empty blocks.
  const table = (id: number, symbol: number) => segment(0xc4, Buffer.from([id, 1, ...Array(15).fill(0), symbol]))
  const parts = [
    Buffer.from([0xff, 0xd8]),
    segment(0xdb, Buffer.concat([Buffer.from([0]), Buffer.alloc(64, 1)])),
    segment(0xc2, size),
    table(0x00, 0),
    table(0x10, 0xe0),
    segment(0xda, Buffer.from([1, 1, 0, 0, 0, 0])),
    Buffer.alloc(Math.ceil(blocks / 8)),
  ]
  const runs = emptyRuns(blocks)
  for (let coefficient = 1; coefficient < 64; coefficient += 1) {
    for (let bit = 13; bit >= 0; bit -= 1) {
      const high = bit === 13 ? 0 : bit + 1
      parts.push(segment(0xda, Buffer.from([1, 1, 0, coefficient, coefficient, (high << 4) | bit])), runs)
    }
  }
  return Buffer.concat([...parts, Buffer.from([0xff, 0xd9])])
}

function segment(marker: number, data: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([0xff, marker, (data.length + 2) >> 8, (data.length + 2) & 255]), data])
}

/** Repeats the code `0` and 14 bits of length; fills the end with runs that go beyond the last block. */
function emptyRuns(blocks: number): Buffer {
  const bits = Array.from({ length: Math.ceil(blocks / 16_384) }, () => '000000000000000').join('')
  const bytes = bits.padEnd(Math.ceil(bits.length / 8) * 8, '0').match(/.{8}/g) ?? []
  return Buffer.from(bytes.map((byte) => Number.parseInt(byte, 2)))
}

test('the decoder accepts only the kind it was told to expect, and never throws', async () => {
  const bytes = await plain(30, 20).png().toBuffer()
  const made = await decodeImage({ bytes, kind: 'png' })

  assert.ok('images' in made)
  assert.deepEqual(await decodeImage({ bytes, kind: 'jpeg' }), { failed: 'image_invalid' })
  assert.deepEqual(await decodeImage({ bytes: bytes.subarray(0, 40), kind: 'png' }), { failed: 'image_invalid' })
})

test('a decoder that dies fails its own image only, and another takes its place', async () => {
  const decoder = createDecoderProcess({ patience: 20_000, idle: 20_000 })
  const bytes = await plain(30, 20).png().toBuffer()
  const noJob = null as unknown as Parameters<typeof decoder.decode>[0] // input that the process cannot survive

  assert.deepEqual(await decoder.decode(noJob), { failed: 'image_invalid' })
  assert.ok('images' in (await decoder.decode({ bytes, kind: 'png' })))
  decoder.end()
})
