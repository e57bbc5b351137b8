import { createHasher, type Hasher } from '../../src/domain/passwords/hasher.ts'
import { AuthError } from '../../src/kernel/errors.ts'

/** The minimum cost of argon2id. */
const parameters = { memoryKiB: 8, passes: 1, lanes: 1 }
let shared: Hasher | undefined

/**
 * Returns a hasher of minimum cost. Starting its threads takes longer than a test, so all tests of the process share them; closing one hasher does not stop
 * them.
 */
export function cheapHasher(): Hasher {
  shared ??= createHasher({ parameters })
  const threads = shared
  const { refused } = threads.load()
  const underWay = new Set<Promise<unknown>>()
  let isClosed = false

  async function run<T>(ask: () => Promise<T>): Promise<T> {
    if (isClosed) throw new AuthError('service_unavailable')
    const answer = ask()
    underWay.add(answer)
    return answer.finally(() => underWay.delete(answer))
  }

  return {
    hash: (password, key) => run(() => threads.hash(password, key)),
    verify: (phc, password, key) => run(() => threads.verify(phc, password, key)),
    needsRehash: threads.needsRehash,
    load: () => ({ ...threads.load(), refused: threads.load().refused - refused }),
    async close() {
      isClosed = true
      await Promise.allSettled(underWay)
    },
  }
}
