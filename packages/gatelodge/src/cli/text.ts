import { AuthError } from '../kernel/errors.ts'
import { PostgresFailure } from '../store/postgres-errors.ts'

/** Formats rows as lines with aligned columns. The last column is not padded. */
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

/** Formats a table with a header line, or returns `none` if there are no rows. */
export function table(head: readonly string[], rows: readonly (readonly string[])[], none: string): string {
  return rows.length === 0 ? none : columns([head, ...rows])
}

/** Returns the reason of an error. Why the database cannot be used is for the operator, not for callers of the API. */
export function reasonOf({ cause, detail }: AuthError): string {
  if (cause instanceof PostgresFailure) return `PostgreSQL: ${cause.message}`
  return cause instanceof Error && cause.message.startsWith('SQLITE_') ? `SQLite: ${cause.message}` : detail
}

/** Returns the reason of any failure, for an operator. */
export function whyOf(error: unknown): string {
  if (error instanceof AuthError) return reasonOf(error)
  return error instanceof Error ? error.message : 'no reason given'
}
