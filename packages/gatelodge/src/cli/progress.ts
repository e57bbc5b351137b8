import { second } from '../kernel/clock.ts'
import type { CommandContext } from './command.ts'

/** Progress of a long task: `done` of `total` rows or pages. */
export interface Progress {
  readonly what: string
  readonly done: number
  readonly total: number
  readonly unit: 'rows' | 'pages'
}

/**
 * Returns a function that prints progress to standard error, once per part and per second, since standard output contains only the result. Silent with
 * `--json`.
 */
export function showProgress({ io, json }: Pick<CommandContext, 'io' | 'json'>): (progress: Progress) => void {
  let next = io.now() + second
  return ({ what, done, total, unit }) => {
    if (json || (done < total && io.now() < next)) return
    next = io.now() + second
    io.stderr.write(`${what}: ${done} of ${total} ${unit}\n`)
  }
}
