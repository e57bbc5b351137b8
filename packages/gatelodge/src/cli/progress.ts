import { second } from '../kernel/clock.ts'
import type { Output } from '../output/output.ts'
import type { Io } from './io.ts'

/** Progress of a long task: `done` of `total` rows or pages. */
export interface Progress {
  readonly what: string
  readonly done: number
  readonly total: number
  readonly unit: 'rows' | 'pages'
}

/** What a command shows on standard error while it works, since standard output contains only the result. */
export interface Status {
  /** Begins to show that the command works, once that has taken a second. Only on a terminal. */
  start(): void
  /** Shows progress: as a bar on a terminal, otherwise as a line, once per part and per second. */
  show(progress: Progress): void
  /** Removes what is shown on a terminal. */
  stop(): void
  /** Standard error for everything else, such as log lines, which first removes what is shown. */
  readonly stderr: Output
}

/** Creates the status of a command. It shows nothing with `--json`. */
export function createStatus(io: Io, json: boolean): Status {
  if (json) return { start() {}, show() {}, stop() {}, stderr: io.stderr }
  return io.isTerminal.stderr && io.env.TERM !== 'dumb' ? liveStatus(io) : plainStatus(io)
}

function plainStatus(io: Io): Status {
  let next = io.now() + second
  return {
    start() {},
    show({ what, done, total, unit }) {
      if (done < total && io.now() < next) return
      next = io.now() + second
      io.stderr.write(`${what}: ${done} of ${total} ${unit}\n`)
    },
    stop() {},
    stderr: io.stderr,
  }
}

const frames = ['-', '\\', '|', '/']
/** ms */
const frameTime = 100
const clearLine = '\r\x1b[K'

/** Draws one line again and again. A synchronous task stops the timer but can still show its progress. */
function liveStatus(io: Io): Status {
  let text = 'Working'
  let frame = 0
  let isDrawn = false
  let visibleFrom = Number.POSITIVE_INFINITY
  let timer: ReturnType<typeof setInterval> | undefined
  const draw = () => {
    if (io.now() < visibleFrom) return
    frame = (frame + 1) % frames.length
    isDrawn = true
    io.stderr.write(`${clearLine}${frames[frame]} ${text}`)
  }
  const clear = () => {
    if (isDrawn) io.stderr.write(clearLine)
    isDrawn = false
  }
  return {
    start() {
      visibleFrom = io.now() + second
      timer ??= setInterval(draw, frameTime).unref()
    },
    show(progress) {
      text = bar(progress)
      draw()
    },
    stop() {
      clearInterval(timer)
      timer = undefined
      clear()
    },
    stderr: {
      write(chunk) {
        clear()
        io.stderr.write(chunk)
      },
    },
  }
}

const barLength = 20

function bar({ what, done, total, unit }: Progress): string {
  const share = total === 0 ? 1 : done / total
  const full = '#'.repeat(Math.floor(share * barLength))
  return `[${full.padEnd(barLength, '.')}] ${Math.floor(share * 100)}% ${what}: ${done} of ${total} ${unit}`
}
