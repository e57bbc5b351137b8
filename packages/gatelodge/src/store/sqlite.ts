import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { backup, DatabaseSync } from 'node:sqlite'
import { setTimeout as pause } from 'node:timers/promises'
import { Kysely, sql } from 'kysely'
import { AuthError } from '../kernel/errors.ts'
import type { Schema } from './schema.ts'
import { sqliteDialect } from './sqlite-driver.ts'
import { explainedSqlite, followLink, isBusy, serverLockFile, sqliteFailure } from './sqlite-places.ts'
import { rewriteSqlite } from './sqlite-rewrite.ts'
import type { Store } from './store.ts'
import { createWalSync } from './wal-sync.ts'
import { proveSqliteWrite } from './write-proof.ts'

/** Moves the contents of the write-ahead log into the database file and truncates the log. */
const truncate = sql<{ busy: number }>`pragma wal_checkpoint(truncate)`
const truncateTries = 20
/** ms */
const truncatePause = 50

/**
 * Opens a SQLite file and creates it (mode 0600) if it does not exist. Uses one writer whose transactions begin in immediate mode, and one read-only
 * connection for reads outside a transaction. `:memory:` opens a private temporary file that is deleted when the store closes.
 * @throws service_unavailable with the reason why the file cannot be used; database_busy
 */
export function openSqlite(path: string): Store {
  const temporary = path === ':memory:' ? makeTemporaryFolder() : undefined
  const file = temporary ? join(temporary, 'gatelodge.db') : followLink(path)
  const { writer, reader } = explainedSqlite('The SQLite database', file, () => openConnections(file))

  const writeDb = new Kysely<Schema>({ dialect: sqliteDialect(writer, file) })
  const readDb = new Kysely<Schema>({ dialect: sqliteDialect(reader, file) })
  // A private temporary file does not outlive its process, so commits need not wait for the disk.
  const wal = temporary ? undefined : createWalSync(`${file}-wal`)
  // On the writer this number changes only with commits of other connections; on the reader our own commits would change it too.
  const dataVersion = writer.prepare('pragma data_version')
  let rewriting: Promise<void> = Promise.resolve()

  return {
    engine: 'sqlite',
    db: readDb,
    migrationDb: writeDb,
    async transaction(work) {
      const answer = await writeDb.transaction().execute(work)
      await wal?.flush()
      return answer
    },
    async proveWrite() {
      await proveSqliteWrite((work) => writeDb.transaction().execute(work))
      await wal?.flush()
    },
    async lockName() {},
    async notify() {},
    onNotice() {},
    listen() {},
    seesForeignCommits: () => true,
    pool: () => null,
    foreignVersion: oncePerTurn(() => Number(dataVersion.get()?.data_version)),
    async backup(target, tell = () => {}) {
      try {
        await backup(reader, target, {
          progress: ({ totalPages, remainingPages }) => tell(totalPages - remainingPages, totalPages),
        })
        chmodSync(target, 0o600)
      } catch (error) {
        throw sqliteFailure('The backup', target, error)
      }
    },
    async truncateLog() {
      for (let left = truncateTries; left > 0; left -= 1) {
        const { rows } = await truncate.execute(writeDb)
        if (rows[0]?.busy === 0) return true
        await pause(truncatePause)
      }
      return false
    },
    rewrite() {
      const rewritten = rewriting.then(() => rewriteSqlite(file))
      rewriting = rewritten.catch(() => {})
      return rewritten
    },
    async close() {
      await rewriting
      await readDb.destroy()
      await writeDb.destroy()
      await wal?.close()
      if (temporary) rmSync(temporary, { recursive: true, force: true })
    },
  }
}

function makeTemporaryFolder(): string {
  const prefix = join(tmpdir(), 'gatelodge-')
  return explainedSqlite('The temporary folder of sqlite::memory:', prefix, () => mkdtempSync(prefix))
}

function openConnections(file: string): { writer: DatabaseSync; reader: DatabaseSync } {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  const isNew = !existsSync(file)
  const writer = new DatabaseSync(file, { timeout: 0 })
  try {
    if (isNew) chmodSync(file, 0o600)
    setUp(writer)
    return { writer, reader: new DatabaseSync(file, { readOnly: true, timeout: 1_000 }) }
  } catch (error) {
    writer.close()
    throw error
  }
}

/** Caches the result of `look` for one turn of the event loop. A call that throws is not cached. */
function oncePerTurn(look: () => number): () => number {
  let seen: number | undefined
  return () => {
    if (seen !== undefined) return seen

    seen = look()
    setImmediate(() => {
      seen = undefined
    })
    return seen
  }
}

const anotherServer =
  'Another server is already running on this SQLite file. Stop it first, or use PostgreSQL to run several processes.'

/** Keeps held locks reachable: otherwise, if the caller dropped the returned object, the garbage collector would close the connection and release the lock. */
const heldLocks = new Set<DatabaseSync>()

/**
 * Takes the lock that allows one server per SQLite file, and creates its folder. The operating system releases the lock when the process exits.
 * @throws service_unavailable with `detail` if another server holds the lock, otherwise with the reason why the lock file cannot be used
 */
export function lockSqliteForServer(path: string, detail = anotherServer): { release(): void } {
  if (path === ':memory:') return { release() {} }

  const file = serverLockFile(path)
  let lock: DatabaseSync | undefined
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    lock = new DatabaseSync(file, { timeout: 0 })
    chmodSync(file, 0o600)
    lock.exec('begin exclusive')
  } catch (cause) {
    lock?.close()
    if (isBusy(cause)) throw new AuthError('service_unavailable', { detail, cause })
    throw sqliteFailure('The server lock', file, cause)
  }
  const held = lock
  heldLocks.add(held)
  return {
    release() {
      heldLocks.delete(held)
      held.close()
    },
  }
}

function setUp(writer: DatabaseSync): void {
  // Switching to WAL mode requires exclusive access for a moment, and another process may be doing the same.
  writer.exec('pragma busy_timeout = 5000')
  writer.exec('pragma journal_mode = wal')
  writer.exec('pragma busy_timeout = 0')
  writer.exec('pragma synchronous = normal') // an acknowledged commit survives a power failure nevertheless: see createWalSync
  writer.exec('pragma foreign_keys = on')
  writer.exec('pragma secure_delete = on') // overwrites freed cells and pages, so that deleted secrets do not remain in the file
}
