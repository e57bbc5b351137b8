import { AuthError, AuthServiceUnavailable } from './errors.ts'
import { isRecord, parseJson } from './json.ts'
import type { Platform, TokenStorage } from './platform.ts'

/** Runs a task while no other tab runs one of this name. @throws service_unavailable when the turn does not come */
export type Exclusive = <T>(name: string, task: () => Promise<T>) => Promise<T>

/** Web Locks where they exist, else leases in the storage. `longest` is how long a task may take, in ms. */
export function createExclusive(platform: Platform, storage: TokenStorage, longest: number): Exclusive {
  const { locks } = platform
  if (!locks) return createLeases(platform, storage, longest)

  return async (name, task) => {
    try {
      return await locks.request(name, { signal: AbortSignal.timeout(2 * longest) }, task)
    } catch (cause) {
      throw cause instanceof AuthError ? cause : new AuthServiceUnavailable({ cause })
    }
  }
}

/** ms between a write and the look whether it lasted, and between two looks. */
const pause = 25

/**
 * A storage has no compare-and-set: of tabs that write at the same time the last one wins, and each looks again after a moment. A tab that stalls just
 * then may still run beside another. That harms nobody: for 10 seconds the server answers a spent refresh token with the same successor.
 */
function createLeases({ now, sleep }: Platform, storage: TokenStorage, longest: number): Exclusive {
  async function read(key: string): Promise<{ owner: unknown; until: number } | undefined> {
    const lease = parseJson(await storage.get(key))
    return isRecord(lease) && typeof lease.until === 'number' ? { owner: lease.owner, until: lease.until } : undefined
  }

  async function take(key: string, owner: string): Promise<boolean> {
    const lease = await read(key)
    const until = now() + longest
    // One that ends later than any of now was written before the clock was set back.
    if (!lease || lease.until < now() || lease.until > until) await storage.set(key, JSON.stringify({ owner, until }))
    await sleep(pause)
    return (await read(key))?.owner === owner
  }

  return async (name, task) => {
    const key = `${name} lease`
    const owner = randomId()
    const giveUp = now() + 2 * longest
    while (!(await take(key, owner))) if (now() > giveUp) throw new AuthServiceUnavailable()
    try {
      return await task()
    } finally {
      if ((await read(key))?.owner === owner) await storage.remove(key)
    }
  }
}

/** A name that nobody else has. Not `randomUUID()`, which plain http does not have. */
export function randomId(): string {
  return crypto.getRandomValues(new Uint32Array(4)).join('-')
}
