import { statfsSync, statSync } from 'node:fs'
import { dirname, extname } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import { AuthError } from '../kernel/errors.ts'
import { toStoreError } from './sqlite-errors.ts'
import type { RewriteWorkerData } from './sqlite-rewrite-worker.ts'

/** Bytes. Writers wait while a file is rewritten, and fail after five seconds. */
const largestRewrite = 100 * 1024 * 1024
/** Bytes. The copy of a file up to this size is made in memory, so that most installations need no folder for temporary files. */
const largestInMemory = 16 * 1024 * 1024

// .ts when run from source, .js in the published build.
const workerUrl = new URL(`./sqlite-rewrite-worker${extname(import.meta.url)}`, import.meta.url)

/**
 * Rewrites a SQLite file with its live rows only, in a separate thread: `secure_delete` overwrites deleted cells, but not the copies that remain where SQLite
 * moved cells within a page. Does nothing to a file larger than 100 MiB.
 * @throws database_busy, service_unavailable
 */
export async function rewriteSqlite(file: string): Promise<void> {
  try {
    const { size } = statSync(file)
    if (size > largestRewrite) return

    assertRoom(file, size)
    const url = pathToFileURL(file)
    url.searchParams.set('mode', 'rw') // does not create the file again if it was deleted
    await run({ url: url.href, inMemory: size <= largestInMemory })
  } catch (error) {
    throw toStoreError(error, file)
  }
}

/** The log grows by a copy of the file, and another copy may be made in a temporary folder. Enough free space has to remain for other writers. */
function assertRoom(file: string, size: number): void {
  const { bavail, bsize } = statfsSync(dirname(file))
  const needed = 2 * size
  if (bavail * bsize > needed) return

  const cause = new Error(
    `rewriting ${file} temporarily needs ${Math.ceil(needed / 1024 / 1024)} MiB of free disk space`,
  )
  throw new AuthError('service_unavailable', { cause })
}

async function run(workerData: RewriteWorkerData): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const worker = new Worker(workerUrl, { workerData, execArgv: [] })
  worker.once('error', reject)
  worker.once('exit', () => resolve())
  await promise
}
