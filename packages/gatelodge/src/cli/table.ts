import { day, hour, type Instant, minute, second, systemClock, toIso } from '../kernel/clock.ts'
import { columns, pageWidth, widthOf } from './text.ts'

/** The option `--wide` of the commands that print tables. */
export const wideOption = {
  doc: 'Print a table as wide as its values: full IDs, exact times and nothing cut off.',
} as const

/** Formats the rows of a table. */
export interface Table {
  /** Returns an ID, or its end: the beginning of an ID is its time, which IDs of one day share. */
  id(id: string): string
  /** Returns a time, such as `2 hours ago`. */
  time(at: Instant): string
  /** Returns a header line and the rows in aligned columns, or `none` if there are no rows. */
  print(head: readonly string[], rows: readonly (readonly string[])[], none: string): string
}

/** Returns how to print a table: in full, or so that it fits a terminal of 100 columns. */
export function tableOf({ wide }: { readonly wide: boolean }, now = systemClock.now()): Table {
  return {
    id: (id) => (wide ? id : cut(id, shortId, 'start')),
    time: (at) => (wide ? toIso(at) : relativeTime(at, now)),
    print: (head, rows, none) =>
      rows.length === 0 ? none : columns(wide ? [head, ...rows] : narrowed([head, ...rows])),
  }
}

/** The characters of a shortened ID: the 12 after the last hyphen of a UUID, and the mark of the cut. */
const shortId = 13

/** Returns how long ago a time was, or how far away it is, in its largest unit. */
export function relativeTime(at: Instant, now: Instant): string {
  const distance = at - now
  const [unit, length] = units.find(([, ms]) => Math.abs(distance) >= ms) ?? []
  if (unit === undefined || length === undefined) return 'now'

  return new Intl.RelativeTimeFormat('en').format(Math.trunc(distance / length), unit)
}

const units = [
  ['year', 365 * day],
  ['month', 30 * day],
  ['day', day],
  ['hour', hour],
  ['minute', minute],
  ['second', second],
] as const

/** Cuts the longest cells of the widest columns until each row fits. */
function narrowed(rows: readonly (readonly string[])[]): readonly (readonly string[])[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => widthOf(row[column] ?? ''))))
  const gaps = 2 * (widths.length - 1)
  while (widths.reduce((sum, width) => sum + width, gaps) > pageWidth) {
    const widest = widths.indexOf(Math.max(...widths))
    widths[widest] = Number(widths[widest]) - 1
  }
  return rows.map((row) => row.map((cell, column) => cut(cell, Number(widths[column]), 'end')))
}

function cut(text: string, most: number, where: 'start' | 'end'): string {
  const characters = [...text]
  if (characters.length <= most) return text
  return where === 'start' ? `…${characters.slice(1 - most).join('')}` : `${characters.slice(0, most - 1).join('')}…`
}
