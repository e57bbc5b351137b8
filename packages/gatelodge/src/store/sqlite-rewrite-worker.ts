import { DatabaseSync } from 'node:sqlite'
import { workerData } from 'node:worker_threads'

/** Input of the thread that rewrites a SQLite file. */
export interface RewriteWorkerData {
  /** URL of the database file. */
  readonly url: string
  /** Whether the temporary copy is made in memory. */
  readonly inMemory: boolean
}

const { url, inMemory }: RewriteWorkerData = workerData

const db = new DatabaseSync(new URL(url), { timeout: 5_000 })
try {
  db.exec('pragma synchronous = normal') // the same as the writer
  db.exec('pragma secure_delete = on')
  if (inMemory) db.exec('pragma temp_store = memory')
  db.exec('vacuum')
  // Checkpoint in this thread, so that the event loop only has to truncate the log.
  db.exec('pragma wal_checkpoint(passive)')
} finally {
  db.close()
}
