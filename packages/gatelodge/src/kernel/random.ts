import { randomBytes } from 'node:crypto'

/** The source of unpredictable bytes. Tests may inject their own. */
export interface Random {
  bytes(length: number): Buffer
}

const blockSize = 4_096
const longestFromBlock = 64

/** The operating system's CSPRNG, read in blocks: one system call per ID would take a tenth of the time of a session check. */
export const systemRandom: Random = inBlocks((length) => randomBytes(length))

/** Copies bytes out of a block and wipes them there, so that no caller sees another caller's bytes and none remain in memory. */
function inBlocks(draw: (length: number) => Buffer): Random {
  let block: Buffer = Buffer.alloc(0)
  let used = 0
  return {
    bytes(length) {
      if (length > longestFromBlock) return draw(length)
      if (used + length > block.length) {
        block = draw(blockSize)
        used = 0
      }
      const bytes = Buffer.from(block.subarray(used, used + length))
      block.fill(0, used, used + length)
      used += length
      return bytes
    },
  }
}
