import { close, fdatasync, openSync } from 'node:fs'
import { promisify } from 'node:util'
import { AuthError } from '../kernel/errors.ts'

/** Makes commits durable, many with one sync. */
export interface WalSync {
  /** Resolves once everything committed before the call is on disk. @throws service_unavailable if the disk fails */
  flush(): Promise<void>
  close(): Promise<void>
}

const sync = promisify(fdatasync)

/**
 * Creates the group commit for SQLite in WAL mode. With `synchronous=NORMAL` a commit has reached the operating system, but not the disk; code that
 * acknowledges it awaits `flush` first. One `fdatasync` outside the event loop covers every commit before it.
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

      // The sync in progress may have started before our commit, so it does not count.
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
