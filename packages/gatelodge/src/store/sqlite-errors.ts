import { AuthError } from '../kernel/errors.ts'

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

/** What to raise for an error of SQLite: `database_busy`, `service_unavailable` where disk or file fails, anything else as it is. */
export function toStoreError(error: unknown): unknown {
  if (!(error instanceof Error) || !('errcode' in error)) return error

  const code = Number(error.errcode) & 0xff // the bits above say more of the same
  if (code === busy) return new AuthError('database_busy', { retryAfter: 5, cause: error })
  const name = unusable.get(code)
  if (!name) return error
  return new AuthError('service_unavailable', {
    retryAfter: 5,
    cause: new Error(`${name}: ${error.message}`, { cause: error }),
  })
}
