import { wholeNumber } from '../../config/parsers.ts'
import { usageError } from '../parse.ts'

const form = wholeNumber(1, 1000)

/** Parses the number of rows in a list, 50 by default. @throws command_invalid */
export function readLimit(text = '50'): number {
  const limit = form.parse(text)
  if (limit === undefined) throw usageError(`--limit must be ${form.form}`)
  return limit
}
