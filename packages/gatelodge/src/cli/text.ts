import { stripVTControlCharacters } from 'node:util'
import { AuthError } from '../kernel/errors.ts'
import { PostgresFailure } from '../store/postgres-errors.ts'

/** The longest line of a table or a help text, in columns. */
export const pageWidth = 100

/** Formats rows as lines with aligned columns. The last column is not padded. */
export function columns(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => widthOf(row[column] ?? ''))))
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell + ' '.repeat(Math.max(0, (widths[column] ?? 0) - widthOf(cell))))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** Formats rows that end with a sentence; a long sentence continues below its beginning. */
export function glossary(rows: readonly (readonly string[])[]): string {
  const indent =
    Math.max(
      ...columns(rows.map((row) => [...row.slice(0, -1), '|']))
        .split('\n')
        .map(widthOf),
    ) - 1
  const lines = rows.flatMap((row) =>
    wrap(row.at(-1) ?? '', pageWidth - indent).map((line, index) => [
      ...row.slice(0, -1).map((name) => (index === 0 ? name : '')),
      line,
    ]),
  )
  return columns(lines)
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  for (const word of text.split(/\s+/)) {
    const longer = `${lines.at(-1) ?? ''} ${word}`
    if (lines.length > 0 && longer.length <= width) lines[lines.length - 1] = longer
    else lines.push(word)
  }
  return lines
}

/** Returns the characters of a text, without the codes of its colours. */
export function widthOf(text: string): number {
  return [...stripVTControlCharacters(text)].length
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
