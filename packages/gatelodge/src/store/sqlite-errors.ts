import { AuthError } from '../kernel/errors.ts'
import { foreignKeyViolation, uniqueViolation } from './constraints.ts'
import { explainSqlite, isBusy, primaryCode } from './sqlite-places.ts'

/** Primary result codes (https://www.sqlite.org/rescode.html) that mean: the disk or the file is not usable at the moment. */
const unusable: ReadonlyMap<number, string> = new Map([
  [8, 'SQLITE_READONLY'],
  [10, 'SQLITE_IOERR'],
  [11, 'SQLITE_CORRUPT'],
  [13, 'SQLITE_FULL'],
  [14, 'SQLITE_CANTOPEN'],
  [26, 'SQLITE_NOTADB'],
])
const constraint = 19

/**
 * Translates a SQLite error: `database_busy`, `service_unavailable` if the disk or the file fails, the error from `constraints.ts` for a violated constraint.
 * Other errors are returned unchanged. SQLite does not name a violated foreign key, so `table` says where the statement inserted. The cause, for operators,
 * explains what prevents this user from using `file`.
 */
export function toStoreError(error: unknown, file: string, table?: string): unknown {
  const code = primaryCode(error)
  if (!(error instanceof Error) || code === undefined) return error

  if (isBusy(error)) return new AuthError('database_busy', { retryAfter: 5, cause: error })
  if (code === constraint) return constraintViolation(error.message, table) ?? error
  const name = unusable.get(code)
  if (!name) return error
  const obstacle = explainSqlite(file, error)
  const reason = obstacle ? `: ${obstacle.says}. What to do: ${obstacle.advice}` : ''
  return new AuthError('service_unavailable', {
    retryAfter: 5,
    cause: new Error(`${name}: ${error.message}${reason}`, { cause: error }),
  })
}

function constraintViolation(message: string, table: string | undefined): AuthError | undefined {
  const unique = /^UNIQUE constraint failed: (.+)$/.exec(message)?.[1]
  if (unique !== undefined) return uniqueViolation(unique)
  return message === 'FOREIGN KEY constraint failed' ? foreignKeyViolation(table) : undefined
}
