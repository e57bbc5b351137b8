import { AuthError, AuthServiceUnavailable } from './errors.ts'
import { isRecord, parseJson } from './json.ts'
import type { Platform, TokenStorage } from './platform.ts'

/** Runs a task while no other tab runs one with the same name. @throws service_unavailable if another tab does not finish in time */
export type Exclusive = <T>(name: string, task: () => Promise<T>) => Promise<T>

/** Uses Web Locks if available, otherwise leases in the storage. `longest` is how long a task may take, in ms. */
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

/** ms between a write and the check whether it persisted, and between two checks. */
const pause = 25

/**
 * A storage has no compare-and-set: if several tabs write simultaneously, the last one wins, and each checks again after a moment. A tab that stalls at that
 * point may still run in parallel with another. That is harmless, since for 10 seconds the server returns the same successor for a used refresh token.
 */
function createLeases({ now, sleep }: Platform, storage: TokenStorage, longest: number): Exclusive {
  async function read(key: string): Promise<{ owner: unknown; until: number } | undefined> {
    const lease = parseJson(await storage.get(key))
    return isRecord(lease) && typeof lease.until === 'number' ? { owner: lease.owner, until: lease.until } : undefined
  }

  async function take(key: string, owner: string): Promise<boolean> {
    const lease = await read(key)
    const until = now() + longest
    // A lease that expires later than any created now was written before the clock was set back.
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

/** Returns a unique name. Does not use `randomUUID()`, which is missing on plain http. */
export function randomId(): string {
  return crypto.getRandomValues(new Uint32Array(4)).join('-')
}
