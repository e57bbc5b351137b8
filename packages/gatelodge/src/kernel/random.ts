import { randomBytes } from 'node:crypto'

/** Where unpredictable bytes come from. Tests may inject their own. */
export interface Random {
  bytes(length: number): Buffer
}

const blockSize = 4_096
const longestFromBlock = 64

/** The operating system's CSPRNG, asked for a block at a time: a system call for each id would cost a tenth of a session check. */
export const systemRandom: Random = inBlocks((length) => randomBytes(length))

/** Copies out of a block, which is wiped where it was used: no caller sees the bytes of the next, and none stay behind. */
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
