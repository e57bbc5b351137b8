import type { ReadStream } from 'node:tty'
import { stripVTControlCharacters } from 'node:util'
import type { Output } from '../output/output.ts'

/** Prints a question and returns the line that the user enters, without showing it if it is hidden. Undefined if the user ends the input instead. */
export type Ask = (question: string, isHidden: boolean) => Promise<string | undefined>

/** Returns a function that asks questions on a terminal. It restores the terminal before it returns, and before it calls `interrupt` on Ctrl-C. */
export function createPrompt(terminal: ReadStream, output: Output, interrupt: () => void): Ask {
  let ahead = '' // entered before it was asked for
  return async (question, isHidden) => {
    // Before the question is visible, so that nothing that follows it is echoed.
    if (isHidden) terminal.setRawMode(true)
    output.write(question)
    const { line, rest, isInterrupted } = await readLine(terminal, ahead)
    ahead = rest
    if (isHidden) {
      terminal.setRawMode(false)
      output.write('\n')
    }
    if (isInterrupted) interrupt()
    return line
  }
}

interface Entered {
  readonly line: string | undefined
  readonly rest: string
  readonly isInterrupted: boolean
}

/** Reads a line and edits it as a terminal does. Only a hidden line contains keys to edit it: otherwise the terminal has done so already. */
function readLine(terminal: ReadStream, ahead: string): Promise<Entered> {
  const { promise, resolve } = Promise.withResolvers<Entered>()
  let line = ''
  const read = (text: string) => {
    const keys = [...stripVTControlCharacters(text)]
    for (const [index, key] of keys.entries()) {
      const done = (entered: string | undefined) =>
        resolve({ line: entered, rest: keys.slice(index + 1).join(''), isInterrupted: key === interruptKey })
      if (key === '\r' || key === '\n') return done(line)
      if (key === interruptKey || (key === endKey && line === '')) return done(undefined)
      if (key === '\x7f' || key === '\b') line = [...line].slice(0, -1).join('')
      else if (key === eraseKey) line = ''
      else if (key >= ' ') line += key
    }
  }
  const end = () => resolve({ line: undefined, rest: '', isInterrupted: false })

  read(ahead)
  terminal.setEncoding('utf8').on('data', read).on('end', end).resume()
  return promise.finally(() => terminal.off('data', read).off('end', end).pause())
}

const interruptKey = '\x03' // Ctrl-C
const endKey = '\x04' // Ctrl-D
const eraseKey = '\x15' // Ctrl-U
