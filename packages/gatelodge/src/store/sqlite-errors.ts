import { AuthError } from '../kernel/errors.ts'
import { foreignKeyViolation, uniqueViolation } from './constraints.ts'

/** Primary result codes, https://www.sqlite.org/rescode.html, that say: disk or file cannot be used now. */
const unusable: ReadonlyMap<number, string> = new Map([
  [8, 'SQLITE_READONLY'],
  [10, 'SQLITE_IOERR'],
  [11, 'SQLITE_CORRUPT'],
  [13, 'SQLITE_FULL'],
  [14, 'SQLITE_CANTOPEN'],
  [26, 'SQLITE_NOTADB'],
])
const busy = 5
const constraint = 19

/**
 * What to raise for an error of SQLite: `database_busy`, `service_unavailable` where disk or file fails, what `constraints.ts` says of a violated
 * constraint, anything else as it is. SQLite does not name a foreign key, so `table` tells where the statement inserted.
 */
export function toStoreError(error: unknown, table?: string): unknown {
  if (!(error instanceof Error) || !('errcode' in error)) return error

  const code = Number(error.errcode) & 0xff // the bits above say more of the same
  if (code === busy) return new AuthError('database_busy', { retryAfter: 5, cause: error })
  if (code === constraint) return constraintViolation(error.message, table) ?? error
  const name = unusable.get(code)
  if (!name) return error
  return new AuthError('service_unavailable', {
    retryAfter: 5,
    cause: new Error(`${name}: ${error.message}`, { cause: error }),
  })
}

function constraintViolation(message: string, table: string | undefined): AuthError | undefined {
  const unique = /^UNIQUE constraint failed: (.+)$/.exec(message)?.[1]
  if (unique !== undefined) return uniqueViolation(unique)
  return message === 'FOREIGN KEY constraint failed' ? foreignKeyViolation(table) : undefined
}
