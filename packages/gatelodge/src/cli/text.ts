import { AuthError } from '../kernel/errors.ts'
import { PostgresFailure } from '../store/postgres-errors.ts'

/** Rows as lines whose columns are aligned; the last column is as long as it is. */
export function columns(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)))
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** A table with a head line, or the sentence for none. */
export function table(head: readonly string[], rows: readonly (readonly string[])[], none: string): string {
  return rows.length === 0 ? none : columns([head, ...rows])
}

/** What keeps the database from us is for the operator, not for callers of the API. */
export function reasonOf({ cause, detail }: AuthError): string {
  if (cause instanceof PostgresFailure) return `PostgreSQL: ${cause.message}`
  return cause instanceof Error && cause.message.startsWith('SQLITE_') ? `SQLite: ${cause.message}` : detail
}

/** Why something failed, whatever failed, for an operator. */
export function whyOf(error: unknown): string {
  if (error instanceof AuthError) return reasonOf(error)
  return error instanceof Error ? error.message : 'no reason given'
}
