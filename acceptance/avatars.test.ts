import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import sharp from 'sharp'
import { testApp } from '../packages/gatelodge/test/support/app.ts'
import { dataFolder, plain, upload } from '../packages/gatelodge/test/support/images.ts'

const uploads = process.env.PROOFS === 'quick' ? 40 : 200

test('memory stays flat over many uploads of large pictures of every format, good and damaged', async () => {
  using data = dataFolder()
  await using app = await testApp({ engine: 'sqlite', env: { ...data.env, GATELODGE_RATE_LIMITS: 'off' } })
  const cookie = await app.cookie(await app.user())
  const noise = await sharp({
    create: {
      width: 1_500,
      height: 1_000,
      channels: 3,
      background: 'black',
      noise: { type: 'gaussian', mean: 128, sigma: 30 },
    },
  })
    .png()
    .toBuffer()
  const good = [
    await plain(7_000, 5_700).png({ compressionLevel: 3 }).toBuffer(),
    await plain(7_000, 5_700).jpeg().withMetadata({ orientation: 6 }).toBuffer(),
    await plain(4_000, 3_000).png({ progressive: true }).toBuffer(),
    await sharp(noise).jpeg({ progressive: true, quality: 95 }).toBuffer(),
    await plain(4_000, 3_000).webp().toBuffer(),
    await plain(1_500, 1_500).avif({ effort: 0 }).toBuffer(),
    noise,
  ]
  const bad = [noise.subarray(0, noise.length / 2), Buffer.alloc(5 * 1024 * 1024, '<svg>')]
  const round = [...good, ...bad]

  const ask = async (at: number) => {
    const content = round[at % round.length] ?? noise
    const { status } = await upload(app, { cookie }, content)
    assert.equal(status, bad.includes(content) ? 400 : 200)
  }
  for (let at = 0; at < round.length * 2; at += 1) await ask(at)
  const settled = residentMiB()
  let most = settled
  for (let at = 0; at < uploads; at += 1) {
    await ask(at)
    if (at % 10 === 9) most = larger(most, residentMiB())
  }
  const told = `settled at ${JSON.stringify(settled)} MiB, at most ${JSON.stringify(most)}`
  assert.ok(most.server - settled.server < 60, told)
  assert.ok(most.decoder > 0 && most.decoder < 350, told)
  assert.equal(data.files().length, 2)
})

interface Memory {
  readonly server: number
  readonly decoder: number
}

/** Returns the memory of this process and its decoding process. */
function residentMiB(): Memory {
  const { stdout } = spawnSync('ps', ['-axo', 'ppid=,rss=,args='], { encoding: 'utf8' })
  const decoders = stdout
    .split('\n')
    .filter((line) => line.includes('/decoder.') && Number.parseInt(line, 10) === process.pid)
  assert.equal(decoders.length, 1)
  const [, kib = 0] = decoders.join().trim().split(/\s+/).map(Number)
  return { server: Math.round(process.memoryUsage().rss / 2 ** 20), decoder: Math.round(kib / 2 ** 10) }
}

function larger(a: Memory, b: Memory): Memory {
  return { server: Math.max(a.server, b.server), decoder: Math.max(a.decoder, b.decoder) }
}
