import { readFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { isatty } from 'node:tty'
import { type Ask, createPrompt } from './cli/prompt.ts'
import { run } from './cli/run.ts'
import { lossyOutput } from './output/lossy-output.ts'
import type { Output } from './output/output.ts'

let stdout: Output = { write: (chunk) => void process.stdout.write(chunk) }
let prompt: Ask | undefined
let stderr: Output = { write: (chunk) => void process.stderr.write(chunk) }
process.stdout.on('error', leaveOnClosedPipe)
process.stderr.on('error', () => {}) // there is no place left to report it
process.exitCode = await run(process.argv.slice(2), {
  env: process.env,
  cwd: process.cwd(),
  now: () => performance.now(),
  stdin: () => text(process.stdin),
  ...(isatty(0) && isatty(2) && { ask }),
  stdout: { write: (chunk) => stdout.write(chunk) },
  stderr: { write: (chunk) => stderr.write(chunk) },
  isTerminal: { stdout: process.stdout.isTTY === true, stderr: process.stderr.isTTY === true },
  outliveReaders(onDropped) {
    process.stdout.off('error', leaveOnClosedPipe).on('error', () => {})
    stdout = lossyOutput(1, (lines) => onDropped('stdout', lines))
    stderr = lossyOutput(2, (lines) => onDropped('stderr', lines))
  },
  readFile: (path) => readFileSync(path, 'utf8'),
  onSignal(listener) {
    process.on('SIGTERM', listener)
    process.on('SIGINT', listener)
  },
  onCrash: (listener) => void process.on('uncaughtException', listener),
  exit: (status) => process.exit(status),
})

/** Opens standard input with the first question. On Ctrl-C, the process ends as without a question. */
function ask(...question: Parameters<Ask>): ReturnType<Ask> {
  prompt ??= createPrompt(process.stdin, process.stderr, () => process.kill(process.pid, 'SIGINT'))
  return prompt(...question)
}

/** A reader such as `head` that closes the pipe early is no failure. */
function leaveOnClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error
  process.exit()
}
