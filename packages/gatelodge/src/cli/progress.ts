import { second } from '../kernel/clock.ts'
import type { CommandContext } from './command.ts'

/** How far long work is: `done` of `total` rows or pages of something. */
export interface Progress {
  readonly what: string
  readonly done: number
  readonly total: number
  readonly unit: 'rows' | 'pages'
}

/** A line for each part that is done and each second that passes, on standard error: standard output holds the result only. Silent with `--json`. */
export function showProgress({ io, json }: Pick<CommandContext, 'io' | 'json'>): (progress: Progress) => void {
  let next = io.now() + second
  return ({ what, done, total, unit }) => {
    if (json || (done < total && io.now() < next)) return
    next = io.now() + second
    io.stderr.write(`${what}: ${done} of ${total} ${unit}\n`)
  }
}
