import { writeSync } from 'node:fs'
import { second } from '../kernel/clock.ts'
import type { Output } from './output.ts'

/** Maximum that is buffered for a slow reader, in bytes. */
const mostWaiting = 1024 * 1024
/** Pause before retrying a reader that accepted nothing, in ms. */
const pause = second / 10
const newline = 0x0a

/**
 * Creates the standard output (1) or error (2) of a program that continues without its readers. Writing never blocks and never fails: text that a slow reader
 * does not accept is buffered, up to a limit. Text beyond the limit, or written while the reader is gone or the disk is full, is dropped. Once writing
 * succeeds again, `onDropped` receives the number of lost lines.
 */
export function lossyOutput(fd: 1 | 2, onDropped: (lines: number) => void, write = writeSync): Output {
  // Node.js makes a pipe non-blocking when it opens its stream. The stream itself would fail permanently after the first error, and buffer without limit
  // before.
  void (fd === 1 ? process.stdout : process.stderr)
  let waiting = ''
  let head: Buffer | undefined // the rest of the text being written
  let size = 0 // of both buffers, in bytes
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

  /** Returns all buffered text. After a line that was cut off, it starts on a new line. */
  function take(): Buffer | undefined {
    if (waiting === '') return undefined

    const bytes = Buffer.from(isMidLine ? `\n${waiting}` : waiting)
    waiting = ''
    size = bytes.length
    return bytes
  }

  function drop(): void {
    const rest = head?.toString().replace(/^\n/, '') ?? '' // the leading newline belongs to the previous line
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

/** Returns whether the reader is merely slow. */
function isFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EAGAIN'
}
