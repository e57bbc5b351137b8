import { AuthError } from '../kernel/errors.ts'
import { foreignKeyViolation, uniqueViolation } from './constraints.ts'
import { explainSqlite, isBusy, primaryCode } from './sqlite-places.ts'

/** Primary result codes, https://www.sqlite.org/rescode.html, that say: disk or file cannot be used now. */
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
 * What to raise for an error of SQLite: `database_busy`, `service_unavailable` where disk or file fails, what `constraints.ts` says of a violated
 * constraint, anything else as it is. SQLite does not name a foreign key, so `table` tells where the statement inserted. The cause, which operators
 * read, says what keeps this user from `file`.
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
