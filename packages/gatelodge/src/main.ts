import { readFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { run } from './cli/run.ts'

process.stdout.on('error', leaveOnClosedPipe)
process.exitCode = await run(process.argv.slice(2), {
  env: process.env,
  cwd: process.cwd(),
  now: () => performance.now(),
  stdin: () => text(process.stdin),
  stdout: { write: (chunk) => void process.stdout.write(chunk) },
  stderr: { write: (chunk) => void process.stderr.write(chunk) },
  readFile: (path) => readFileSync(path, 'utf8'),
  onSignal(listener) {
    process.on('SIGTERM', listener)
    process.on('SIGINT', listener)
  },
  onCrash: (listener) => void process.on('uncaughtException', listener),
  exit: (status) => process.exit(status),
})

/** A reader such as `head` that has seen enough is no failure. */
function leaveOnClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error
  process.exit()
}
