import { DatabaseSync } from 'node:sqlite'
import { workerData } from 'node:worker_threads'

/** What the thread that rewrites a SQLite file is started with. */
export interface RewriteWorkerData {
  /** Of the file. */
  readonly url: string
  /** Whether the copy is made in memory. */
  readonly inMemory: boolean
}

const { url, inMemory }: RewriteWorkerData = workerData

const db = new DatabaseSync(new URL(url), { timeout: 5_000 })
try {
  db.exec('pragma synchronous = normal') // as the writer
  db.exec('pragma secure_delete = on')
  if (inMemory) db.exec('pragma temp_store = memory')
  db.exec('vacuum')
  // Into the file here, so that the event loop has only to cut the log off.
  db.exec('pragma wal_checkpoint(passive)')
} finally {
  db.close()
}
