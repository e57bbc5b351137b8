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

/** Moves what the log holds into the file and cuts the log off. */
const truncate = sql<{ busy: number }>`pragma wal_checkpoint(truncate)`
const truncateTries = 20
/** ms */
const truncatePause = 50

/**
 * Opens a SQLite file, making it (0600) when it is missing: one writer whose transactions begin in immediate mode, and one
 * read-only connection for everything outside a transaction. `:memory:` is a private temporary file that goes when the store closes.
 * @throws service_unavailable with what keeps this user from the file; database_busy
 */
export function openSqlite(path: string): Store {
  const temporary = path === ':memory:' ? makeTemporaryFolder() : undefined
  const file = temporary ? join(temporary, 'gatelodge.db') : followLink(path)
  const { writer, reader } = explainedSqlite('The SQLite database', file, () => openConnections(file))

  const writeDb = new Kysely<Schema>({ dialect: sqliteDialect(writer, file) })
  const readDb = new Kysely<Schema>({ dialect: sqliteDialect(reader, file) })
  // A private temporary file does not outlive its process, so nobody waits for the disk.
  const wal = temporary ? undefined : createWalSync(`${file}-wal`)
  // On the writer, own commits leave this number unchanged; on the reader each of them would move it.
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

/** Looks once per turn of the event loop. A look that throws does not count. */
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
  'Another server already runs on this SQLite file. Stop it first, or use PostgreSQL for several processes.'

/** Locks that are held: one that only its release refers to would be closed by the garbage collector if its caller dropped that. */
const heldLocks = new Set<DatabaseSync>()

/**
 * Holds the right to be the one server on a SQLite file, whose folder is created. The operating system ends the hold with the process.
 * @throws service_unavailable: `detail` where another server has it, else what keeps this user from the file of the lock
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
  // Turning WAL on needs a moment alone with the file; another process may be at the same step.
  writer.exec('pragma busy_timeout = 5000')
  writer.exec('pragma journal_mode = wal')
  writer.exec('pragma busy_timeout = 0')
  writer.exec('pragma synchronous = normal') // what was acknowledged survives a power cut all the same: see createWalSync
  writer.exec('pragma foreign_keys = on')
  writer.exec('pragma secure_delete = on') // freed cells and pages are cleared, so that erased secrets are gone
}
