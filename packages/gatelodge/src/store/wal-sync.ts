import { close, fdatasync, openSync } from 'node:fs'
import { promisify } from 'node:util'
import { AuthError } from '../kernel/errors.ts'

/** Makes commits durable, many at once. */
export interface WalSync {
  /** Resolves once everything that was committed before the call is on the disk. @throws service_unavailable when the disk refuses */
  flush(): Promise<void>
  close(): Promise<void>
}

const sync = promisify(fdatasync)

/**
 * Group commit for SQLite in WAL mode. With `synchronous=NORMAL` a commit is in the log and in the hands of the system, but not on the disk; whoever
 * acknowledges it awaits `flush`. One `fdatasync` off the event loop serves every commit that came before it.
 */
export function createWalSync(walFile: string): WalSync {
  let file: number | undefined
  let running: Promise<void> | undefined
  let next: Promise<void> | undefined

  function start(): Promise<void> {
    const started = syncFile()
      .catch((cause: unknown) => {
        throw new AuthError('service_unavailable', { retryAfter: 5, cause })
      })
      .finally(() => {
        running = undefined
      })
    running = started
    return started
  }

  async function syncFile(): Promise<void> {
    file ??= openSync(walFile, 'r')
    await sync(file)
  }

  return {
    flush() {
      if (!running) return start()

      // The one under way may have begun before our commit, so it does not count.
      next ??= running
        .catch(() => {})
        .then(() => {
          next = undefined
          return start()
        })
      return next
    },
    async close() {
      await next?.catch(() => {})
      await running?.catch(() => {})
      if (file !== undefined) await promisify(close)(file)
    },
  }
}
