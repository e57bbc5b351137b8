import { randomBytes } from 'node:crypto'

/** Where unpredictable bytes come from. Tests may inject their own. */
export interface Random {
  bytes(length: number): Buffer
}

/** The operating system's CSPRNG. */
export const systemRandom: Random = { bytes: (length) => randomBytes(length) }
