import { readlinkSync, realpathSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { AuthError } from '../kernel/errors.ts'
import { cannotUse, codeOf, diskFull, explainPlace, findObstacle, isDiskFull, isLink, type Obstacle } from './places.ts'

/** Primary result codes, https://www.sqlite.org/rescode.html */
const busy = 5
const corrupt = 11
const full = 13
const notADatabase = 26
/** SQLITE_PERM, READONLY, IOERR, CANTOPEN and PROTOCOL (locking). None of them names a path. */
const ofPlaces: readonly (number | undefined)[] = [3, 8, 10, 14, 15]

/** Suffixes of the files that SQLite keeps next to the database file. */
const companions = ['-wal', '-shm', '-journal']

/**
 * Runs `open`, which opens or creates a SQLite file, and explains its errors.
 * @throws service_unavailable with the cause and the next step; database_busy; an AuthError unchanged
 */
export function explainedSqlite<T>(what: string, file: string, open: () => T): T {
  try {
    return open()
  } catch (error) {
    throw sqliteFailure(what, file, error)
  }
}

/** Returns the error for operators after a SQLite file failed with `cause`. */
export function sqliteFailure(what: string, file: string, cause: unknown): AuthError {
  if (cause instanceof AuthError || !isBusy(cause)) return cannotUse(what, file, cause, explainSqlite(file, cause))

  const detail = `${what} ${file} is locked by another program. What to do: find the program that has it open (fuser), and stop it`
  return new AuthError('database_busy', { detail, retryAfter: 5, cause })
}

/** Explains a failure of SQLite, or of node:fs on its files. Returns undefined if the system shows no cause. */
export function explainSqlite(file: string, error: unknown): Obstacle | undefined {
  const code = primaryCode(error)
  switch (code) {
    case full:
      return diskFull(file)
    case notADatabase:
      return {
        says: `${file} is not a SQLite database, or is encrypted (SQLITE_NOTADB)`,
        advice: 'correct the path, or restore the backup',
      }
    case corrupt:
      return {
        says: `${file} is damaged (SQLITE_CORRUPT)`,
        advice: 'stop the server, keep a copy of its files, and restore the last backup',
      }
    default:
      if (!ofPlaces.includes(code) && codeOf(error) === undefined) return undefined
      return findSqliteObstacle(file) ?? explainPlace(file, error) ?? (isDiskFull(file) ? diskFull(file) : undefined)
  }
}

/** Finds what prevents this process from using a SQLite database: its folder, its file, or the files that SQLite keeps next to it. Changes nothing. */
export function findSqliteObstacle(path: string): Obstacle | undefined {
  const file = followLink(path)
  return findObstacle(file, ...companions.map((end) => file + end))
}

/** Returns the target of a symbolic link, which need not exist: SQLite keeps its log next to the target, not next to the link. */
export function followLink(path: string): string {
  if (!isLink(path)) return path
  try {
    return realpathSync(path)
  } catch {
    return resolve(dirname(path), readlinkSync(path))
  }
}

/** Returns whether the database file exists. @throws service_unavailable if this user has no permission to find out */
export function isSqliteThere(path: string): boolean {
  try {
    statSync(path)
    return true
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false
    throw sqliteFailure('The SQLite database', path, error)
  }
}

/** Returns the path of the lock file that allows only one server per SQLite file. */
export function serverLockFile(path: string): string {
  return `${followLink(path)}.server-lock`
}

/** Returns whether the error is SQLITE_BUSY: another connection holds a lock on the file. */
export function isBusy(error: unknown): boolean {
  return primaryCode(error) === busy
}

/** Returns the primary SQLite result code of an error or of one of its causes. The higher bits only add detail. */
export function primaryCode(error: unknown): number | undefined {
  if (!(error instanceof Error)) return undefined
  return 'errcode' in error ? Number(error.errcode) & 0xff : primaryCode(error.cause)
}
