import { writeSync } from 'node:fs'
import { second } from '../kernel/clock.ts'
import type { Output } from './output.ts'

/** The most that waits for a slow reader, in bytes. */
const mostWaiting = 1024 * 1024
/** Before a reader that took nothing is tried again, in ms. */
const pause = second / 10
const newline = 0x0a

/**
 * Standard output (1) or error (2) of a program that goes on without its readers. Writing never waits and never fails: what a slow reader does not take
 * waits, up to a bound; what is beyond it, or is written while the reader is gone or the disk is full, is dropped. `onDropped` hears how many lines
 * were lost as soon as one passes again.
 */
export function lossyOutput(fd: 1 | 2, onDropped: (lines: number) => void, write = writeSync): Output {
  // Node.js makes a pipe non-blocking when it opens its stream. The stream itself would end at the first failure, and queue without a bound before.
  void (fd === 1 ? process.stdout : process.stderr)
  let waiting = ''
  let head: Buffer | undefined // what is left of what is being written
  let size = 0 // of both, in bytes
  let isMidLine = false
  let dropped = 0
  let timer: NodeJS.Timeout | undefined

  function flush(): void {
    timer = undefined
    try {
      for (head ??= take(); head; head ??= take()) {
        const written = write(fd, head)
        size -= written
        if (written > 0) isMidLine = head[written - 1] !== newline
        head = written < head.length ? head.subarray(written) : undefined
      }
    } catch (error) {
      if (isFull(error)) timer = setTimeout(flush, pause).unref()
      else drop()
      return
    }
    const lines = dropped
    dropped = 0
    if (lines > 0) onDropped(lines)
  }

  /** All that waits; behind a line that was cut off it begins a line of its own. */
  function take(): Buffer | undefined {
    if (waiting === '') return undefined

    const bytes = Buffer.from(isMidLine ? `\n${waiting}` : waiting)
    waiting = ''
    size = bytes.length
    return bytes
  }

  function drop(): void {
    const rest = head?.toString().replace(/^\n/, '') ?? '' // the newline at its beginning belongs to the line before
    dropped += linesOf(rest) + linesOf(waiting)
    waiting = ''
    head = undefined
    size = 0
  }

  return {
    write(text) {
      const bytes = Buffer.byteLength(text)
      if (size > 0 && size + bytes > mostWaiting) {
        dropped += linesOf(text)
        return
      }
      waiting += text
      size += bytes
      if (timer === undefined) flush()
    },
  }
}

function linesOf(text: string): number {
  return text.split('\n').length - 1
}

/** Whether a reader is merely slow. */
function isFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EAGAIN'
}
